"""Every page by its path: it opens, has its heading, and can be used by everyone."""

from collections.abc import Mapping
from typing import Literal

import pytest
from playwright.async_api import Page, expect

from tests.e2e.dashboard.axe import find_violations
from tests.e2e.dashboard.visits import settled

NAMES = (
    "overview",
    "jobs",
    "job",
    "errors",
    "error",
    "queues",
    "queue",
    "types",
    "type",
    "batches",
    "batch",
    "sources",
    "source",
    "activity",
    "settings",
)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
NOT_FOUND = "There is no such page"
OVERFLOW = "document.documentElement.scrollWidth - window.innerWidth"
NO_RESIZES = "window.ResizeObserver = class { observe() {} unobserve() {} disconnect() {} }"
WIDEST_CHART = """Math.max(
    ...[...document.querySelectorAll('figure svg[role=img]')].map((svg) => svg.clientWidth))"""


def test_all_pages_are_among_them(places: Mapping[str, str]) -> None:
    assert set(places) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
async def test_a_page_keeps_no_one_out(
    page: Page, still_url: str, places: Mapping[str, str], name: str
) -> None:
    await page.goto(still_url + places[name])
    await settled(page)
    await expect(page.locator("h1")).not_to_be_empty()
    found: list[str] = []
    for width in (1440, 390):
        await page.set_viewport_size({"width": width, "height": 900})
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme)
            await settled(page)
            found += [f"{width} {scheme}: {each}" for each in await find_violations(page)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", NAMES)
async def test_a_path_has_its_page(
    page: Page, still_url: str, places: Mapping[str, str], name: str
) -> None:
    await page.goto(still_url + places[name])
    await settled(page)
    await expect(page.locator("h1")).not_to_have_text(NOT_FOUND)
    await expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("name", NAMES)
async def test_no_page_is_wider_than_the_screen(
    page: Page, still_url: str, places: Mapping[str, str], name: str
) -> None:
    await page.goto(still_url + places[name])
    for width in (1440, 768, 390, 320):
        await page.set_viewport_size({"width": width, "height": 900})
        await settled(page)
        assert await page.evaluate(OVERFLOW) <= 0, width


@pytest.mark.parametrize("name", ["overview", "job", "queue", "type"])
async def test_a_chart_is_no_wider_than_the_screen_before_it_is_laid_out_again(
    page: Page, still_url: str, places: Mapping[str, str], name: str
) -> None:
    await page.add_init_script(NO_RESIZES)
    await page.goto(still_url + places[name])
    await settled(page)
    drawn = await page.evaluate(WIDEST_CHART)
    await page.set_viewport_size({"width": 390, "height": 900})
    assert drawn > 390
    assert await page.evaluate(WIDEST_CHART) < 390
    assert await page.evaluate(OVERFLOW) <= 0


async def test_a_slash_behind_the_path(page: Page, still_url: str) -> None:
    await page.goto(f"{still_url}jobs/?q=1")
    await settled(page)
    assert page.url == f"{still_url}jobs?q=1"


async def test_a_path_without_a_page_is_no_page(page: Page, still_url: str) -> None:
    answer = await page.request.get(f"{still_url}nothing", headers={"accept": "text/html"})
    assert answer.status == 404
    assert (await answer.json())["errors"][0]["extensions"]["code"] == "NOT_FOUND"

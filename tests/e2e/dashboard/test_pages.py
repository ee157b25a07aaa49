"""Every page by its path: it opens, has its heading, and can be used by everyone."""

from collections.abc import Mapping

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.dashboard.axe import find_violations
from tests.e2e.dashboard.visits import settled, visiting_dashboard

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
NOT_FOUND = "There is no such page"
OVERFLOW = "document.documentElement.scrollWidth - window.innerWidth"


def test_all_pages_are_among_them(places: Mapping[str, str]) -> None:
    assert set(places) == set(NAMES)


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
async def test_a_page_keeps_no_one_out(
    browser: Browser, still_url: str, places: Mapping[str, str], name: str, scheme: str, width: int
) -> None:
    viewport = {"width": width, "height": 900}
    async with visiting_dashboard(
        browser, still_url, color_scheme=scheme, viewport=viewport
    ) as page:
        await page.goto(still_url + places[name])
        await settled(page)
        await expect(page.locator("h1")).to_have_count(1)
        await expect(page.locator("h1")).not_to_be_empty()
        assert await find_violations(page) == []


@pytest.mark.parametrize("name", NAMES)
async def test_a_path_has_its_page(
    page: Page, still_url: str, places: Mapping[str, str], name: str
) -> None:
    await page.goto(still_url + places[name])
    await settled(page)
    await expect(page.locator("h1")).not_to_have_text(NOT_FOUND)
    await expect(page.get_by_role("alert").filter(has_text="!")).to_have_count(0)


@pytest.mark.parametrize("width", [320, 390, 1440])
@pytest.mark.parametrize("name", NAMES)
async def test_no_page_is_wider_than_the_screen(
    page: Page, still_url: str, places: Mapping[str, str], name: str, width: int
) -> None:
    await page.set_viewport_size({"width": width, "height": 900})
    await page.goto(still_url + places[name])
    await settled(page)
    assert await page.evaluate(OVERFLOW) <= 0


async def test_a_path_without_a_page(page: Page, still_url: str) -> None:
    await page.goto(f"{still_url}jobs/")
    await settled(page)
    assert page.url == f"{still_url}jobs"

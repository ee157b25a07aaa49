"""The overview and what stands around every page: panels with their queries, keys, settings."""

import json
import re
from datetime import datetime, timedelta

import httpx
import pytest
from playwright.async_api import Browser, Page, Request, expect

from tests.e2e.dashboard.axe import find_violations
from tests.e2e.dashboard.visits import settled, visiting_dashboard
from tests.support.patience import PATIENCE_SECONDS

PANELS = (
    "Jobs by status",
    "Needs attention",
    "Throughput and failures",
    "Errors",
    "Types by time",
    "Queues",
    "Live events",
)


@pytest.fixture
async def overview(page: Page, still_url: str) -> Page:
    await page.goto(still_url)
    await settled(page)
    return page


async def test_every_panel_shows_its_query(overview: Page) -> None:
    for panel in PANELS:
        await overview.get_by_role("button", name=f"Query of “{panel}”").click()
        dialog = overview.get_by_role("dialog")
        await expect(dialog.locator("pre").first).to_contain_text("query Overview")
        await overview.keyboard.press("Escape")
        await expect(dialog).to_have_count(0)


async def test_figures_of_two_times_show_both_queries(overview: Page) -> None:
    await overview.get_by_role("button", name="Query of “Jobs by status”").click()
    text, variables = await overview.get_by_role("dialog").locator("pre").all()
    await expect(text).to_contain_text("query OverviewStatuses {")
    await expect(text).to_contain_text("query OverviewStatusesAt(")
    assert json.loads(await variables.inner_text()).keys() == {"at"}


async def test_a_query_is_opened_in_graphiql_and_runs(overview: Page) -> None:
    await overview.get_by_role("button", name="Query of “Throughput and failures”").click()
    assert await find_violations(overview) == []
    async with overview.expect_popup() as popup:
        await overview.get_by_role("link", name="Open in GraphiQL").click()
    graphiql = await popup.value
    editor = graphiql.get_by_role("region", name="Operation Editor")
    await expect(editor).to_contain_text("OverviewThroughput")
    await expect(graphiql.get_by_role("button", name="Re-fetch GraphQL schema")).to_be_visible()
    await graphiql.get_by_role("button", name="Execute query").click()
    result = graphiql.get_by_role("region", name="Result Window").locator(".view-lines")
    await expect(result).to_contain_text("timeline")


async def test_a_chart_is_also_a_table(overview: Page) -> None:
    panel = overview.get_by_role("region", name="Throughput and failures").first
    await panel.get_by_role("button", name="Show as a table").click()
    await expect(panel.get_by_role("columnheader", name="Failed")).to_be_visible()
    assert await panel.get_by_role("row").count() > 20
    assert await find_violations(overview) == []


async def test_figures_lead_to_their_jobs(overview: Page) -> None:
    tile = overview.get_by_role("link", name=re.compile("^Failed"))
    count = (await tile.locator(".tile-count").inner_text()).strip()
    await tile.click()
    await expect(overview).to_have_url(re.compile("/jobs\\?q=status%3Afailed$"))
    await expect(overview.locator(".page-actions strong")).to_have_text(f"{count} jobs")


async def test_figures_have_those_of_the_beginning_of_the_time(
    overview: Page, still_url: str
) -> None:
    for name in ("7 days", "1 hour"):
        async with overview.expect_request(_asks_for_the_past) as asked:
            await overview.get_by_role("radio", name=name).check()
        at = json.loads((await asked.value).post_data or "")["variables"]["at"]
        expected = [f"{count:,}" for count in _counts_at(still_url, at)]
        before = overview.locator(".tile-before")
        await expect(before.first.locator("time")).to_have_attribute("datetime", at)
        shown = [words.rsplit(": ", 1)[1] for words in await before.all_inner_texts()]
        assert shown == expected
    assert await find_violations(overview) == []


def _counts_at(url: str, at: str) -> list[int]:
    query = "query ($at: DateTime!) { statusCounts(at: $at) { count { value } } }"
    body = {"query": query, "variables": {"at": at}}
    answer = httpx.post(f"{url}graphql", json=body, timeout=PATIENCE_SECONDS).json()
    return [each["count"]["value"] for each in answer["data"]["statusCounts"]]


def _asks_for_the_past(request: Request) -> bool:
    body = json.loads(request.post_data or "{}")
    return list(body.get("variables") or ()) == ["at"]


async def test_pages_by_keys_and_by_the_palette(overview: Page, still_url: str) -> None:
    await overview.keyboard.press("g")
    await overview.keyboard.press("q")
    await expect(overview).to_have_url(f"{still_url}queues")
    await overview.keyboard.press("Control+k")
    await overview.keyboard.type("acti")
    await overview.keyboard.press("Enter")
    await expect(overview).to_have_url(f"{still_url}activity")
    await overview.keyboard.press("?")
    await expect(overview.get_by_role("dialog", name="Keys")).to_be_visible()
    assert await find_violations(overview) == []
    await overview.keyboard.press("Escape")
    await overview.keyboard.press("Control+k")
    id_ = "00000000-0000-4000-8000-000000000000"
    await overview.keyboard.type(f"see {id_}")
    await overview.keyboard.press("Enter")
    await expect(overview).to_have_url(f"{still_url}jobs/{id_}")


async def test_single_keys_can_be_switched_off(overview: Page, still_url: str) -> None:
    await overview.goto(f"{still_url}settings")
    await overview.get_by_label("Single-key shortcuts").uncheck()
    await overview.get_by_role("link", name="Overview").click()
    await overview.keyboard.press("?")
    await overview.keyboard.press("g")
    await overview.keyboard.press("q")
    await expect(overview.get_by_role("heading", level=1)).to_have_text("Overview")
    await expect(overview.get_by_role("dialog")).to_have_count(0)


async def test_settings_are_kept(page: Page, still_url: str) -> None:
    await page.goto(f"{still_url}settings")
    await settled(page)
    await page.get_by_role("radio", name="Dark").check()
    await page.get_by_role("radio", name="Comfortable").check()
    await page.reload()
    await expect(page.get_by_role("radio", name="Dark")).to_be_checked()
    root = page.locator("html")
    await expect(root).to_have_attribute("data-theme", "dark")
    await expect(root).to_have_attribute("data-density", "comfortable")
    await page.get_by_role("radio", name="Deutsch").check()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Einstellungen")
    await expect(root).to_have_attribute("lang", "de")


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_wrong_clock_makes_no_difference(
    browser: Browser, still_url: str, hours: int
) -> None:
    async def times(page: Page) -> list[str]:
        await page.goto(still_url)
        await settled(page)
        # Times are shown by the server's clock as soon as an answer has said it.
        return await page.locator(".events time").all_inner_texts()

    shown = []
    for skew in (0, hours):
        async with visiting_dashboard(browser, still_url) as page:
            await page.clock.install(time=datetime.now().astimezone() + timedelta(hours=skew))
            shown.append(await times(page))
    right, wrong = shown
    assert len(right) == len(wrong) > 5
    # A minute may have passed meanwhile.
    pairs = [(_minutes(one), _minutes(other)) for one, other in zip(right, wrong, strict=True)]
    assert all(abs(one - other) <= 2 for one, other in pairs), json.dumps(shown)


def _minutes(words: str) -> float:
    match = re.match(r"(\d+) (sec|min|hr|day)", words)
    sizes = {"sec": 1 / 60, "min": 1, "hr": 60, "day": 1_440}
    return 0 if match is None else int(match[1]) * sizes[match[2]]

"""The pages of errors, queues, types, batches, sources and activity: what they show, and how far the URL is the view."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from db import embedded
from resolvers.viewer import Role
from tests.e2e.conftest import SERVE_COMMAND, running
from tests.e2e.dashboard.axe import find_violations
from tests.e2e.dashboard.visits import settled, visiting_dashboard
from tests.server.auth.minting import mint
from tests.support.patience import PATIENCE_SECONDS

TRENDING = "{ errorGroups(orderBy: COUNT, first: 50) { nodes { message count { value } types } } }"
QUEUES = "{ queues { name due { value } } }"
SOURCES = "{ sources { name jobs(first: 15) { nodes { type } } } }"
CHOOSE_ORG = "sessionStorage.setItem('joblens:org', '5a0f2d0e-7a53-4f0c-9a8a-6f2c0c6f9d11')"
HIDDEN = "error_message,last_error_message"
REFUSED = ("403",)


def ask(url: str, query: str) -> Any:
    """What the API answers to the same question."""
    answer = httpx.post(f"{url}graphql", json={"query": query}, timeout=PATIENCE_SECONDS).json()
    assert "errors" not in answer, answer["errors"]
    return answer["data"]


def parameters(page: Page) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(page.url).query).items()}


async def texts(page: Page, selector: str) -> list[str]:
    return [text.strip() for text in await page.locator(selector).all_inner_texts()]


async def test_error_groups_are_those_of_the_api_in_the_chosen_order(
    page: Page, still_url: str
) -> None:
    await page.goto(f"{still_url}errors?range=month")
    await settled(page)
    await page.get_by_role("radio", name="Most often").check()
    await expect(page).to_have_url(re.compile("order=COUNT"))
    expected = [
        group["count"]["value"] for group in ask(still_url, TRENDING)["errorGroups"]["nodes"]
    ]
    counts = page.locator("tbody td.number")
    await expect(counts.first).to_have_text(str(expected[0]))
    assert [int(text) for text in await texts(page, "tbody td.number")] == expected
    await page.reload()
    await settled(page)
    assert [int(text) for text in await texts(page, "tbody td.number")] == expected
    assert parameters(page) == {"range": "month", "order": "COUNT"}


async def test_errors_can_be_narrowed_to_a_type(page: Page, still_url: str) -> None:
    await page.goto(f"{still_url}errors?range=month")
    await settled(page)
    everything = await page.locator("tbody tr").count()
    await page.get_by_label("Type begins with").fill("email")
    await expect(page).to_have_url(re.compile("type=email"))
    groups = ask(still_url, TRENDING)["errorGroups"]["nodes"]
    fitting = [each for each in groups if any(name.startswith("email") for name in each["types"])]
    await expect(page.locator("tbody tr")).to_have_count(len(fitting))
    assert 0 < len(fitting) < everything


async def test_an_error_leads_to_its_jobs(
    page: Page, still_url: str, places: Mapping[str, str]
) -> None:
    await page.goto(still_url + places["error"])
    await settled(page)
    group = places["error"].rsplit("%3A", 1)[-1]
    for name in ("All jobs with this error", "Retry the group…"):
        href = await page.get_by_role("link", name=name).get_attribute("href")
        assert f"errorgroup:{group}" in parse_qs(urlsplit(href or "").query)["q"][0]
    await page.get_by_role("radio", name="Days").check()
    await expect(page).to_have_url(re.compile("bucket=DAY"))
    trend = page.get_by_role("region", name="Attempts that ended so").first
    await trend.get_by_role("button", name="Show as a table").click()
    await expect(trend.locator("tbody tr")).to_have_count(30)


async def test_queues_are_sorted_by_the_url(page: Page, still_url: str) -> None:
    await page.goto(f"{still_url}queues?sort=name")
    await settled(page)
    names = [queue["name"] for queue in ask(still_url, QUEUES)["queues"]]
    table = page.get_by_role("region", name="Queues").locator("tbody th")
    await expect(table).to_have_text(sorted(names))
    await page.get_by_role("button", name="Queue", exact=True).click()
    await expect(table).to_have_text(sorted(names, reverse=True))
    assert parameters(page)["sort"] == "-name"
    heading = page.get_by_role("columnheader", name="Queue", exact=True)
    await expect(heading).to_have_attribute("aria-sort", "descending")


async def test_a_queue_says_what_goes_next_and_what_runs(page: Page, still_url: str) -> None:
    queues = ask(still_url, QUEUES)["queues"]
    busiest = max(queues, key=lambda queue: queue["due"]["value"])
    await page.goto(f"{still_url}queues/{busiest['name']}")
    await settled(page)
    due = page.locator(".figures > div").filter(has_text="Due").first
    await expect(due.locator(".figure")).to_have_text(re.compile(r"\d"))
    following = page.get_by_role("region", name="Go next", exact=True).last.locator("tbody tr")
    assert 0 < await following.count() <= 10
    priorities = [int(text) for text in await following.locator("td").nth(0).all_inner_texts()]
    assert priorities == sorted(priorities, reverse=True)
    for name in ("Running", "Waiting longest", "Workers", "Throughput"):
        await expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


async def test_percentiles_of_a_type_have_a_table(
    page: Page, still_url: str, places: Mapping[str, str]
) -> None:
    await page.goto(f"{still_url}{places['type']}?range=week")
    await settled(page)
    chart = page.get_by_role("region", name="Run time over time")
    await expect(chart.locator("polyline, circle").first).to_be_attached()
    await chart.get_by_role("button", name="Show as a table").click()
    table = chart.get_by_role("table")
    await expect(table.get_by_role("columnheader")).to_have_text(["Time", "99 %", "95 %", "Median"])
    assert await table.get_by_text(re.compile(r"\d (ms|s|min|h)")).count() > 0


async def test_a_pinned_time_stays(page: Page, still_url: str) -> None:
    await page.goto(f"{still_url}types")
    await settled(page)
    await page.get_by_role("button", name="Pin this time").click()
    await expect(page.locator(".pinned")).to_be_visible()
    pinned = parameters(page)
    assert set(pinned) == {"from", "until"}
    await page.reload()
    await settled(page)
    assert parameters(page) == pinned
    await page.get_by_role("radio", name="7 days").check()
    await expect(page.locator(".pinned")).to_have_count(0)
    assert parameters(page) == {"range": "week"}


async def test_unknown_parameters_are_kept_and_named(page: Page, still_url: str) -> None:
    await page.goto(f"{still_url}types?colour=red")
    await settled(page)
    await expect(page.get_by_text("does not know: colour")).to_be_visible()
    await page.get_by_role("radio", name="7 days").check()
    await expect(page).to_have_url(re.compile("range=week"))
    assert parameters(page) == {"colour": "red", "range": "week"}


async def test_a_batch_says_how_much_is_done(
    page: Page, still_url: str, places: Mapping[str, str]
) -> None:
    await page.goto(f"{still_url}batches?range=month")
    await settled(page)
    assert await page.locator("tbody .status-bar").count() > 0
    await page.goto(still_url + places["batch"])
    await settled(page)
    await expect(page.locator(".progress-line b")).to_have_text(re.compile(r"\d+%"))
    name = await page.locator("h1").inner_text()
    link = page.get_by_role("link", name="All its jobs")
    href = await link.get_attribute("href")
    assert name in parse_qs(urlsplit(href or "").query)["q"][0]


async def test_a_source_shows_its_newest_jobs(
    page: Page, still_url: str, places: Mapping[str, str]
) -> None:
    await page.goto(still_url + places["source"])
    await settled(page)
    source = ask(still_url, SOURCES)["sources"][0]
    await expect(page.locator("h1")).to_have_text(source["name"])
    types = [job["type"] for job in source["jobs"]["nodes"]]
    await expect(page.locator("tbody th")).to_contain_text(types)


async def test_without_a_source_the_page_says_how_to_add_one(
    browser: Browser, still_url: str
) -> None:
    async with visiting_dashboard(browser, still_url) as page:
        await page.add_init_script(CHOOSE_ORG)
        await page.goto(f"{still_url}sources")
        await expect(page.get_by_text("joblens mirror add shop")).to_be_visible()
        await expect(page.get_by_text("from joblens_client import Recorder")).to_be_visible()
        assert await find_violations(page) == []


async def test_activity_is_narrowed_by_the_url(page: Page, still_url: str) -> None:
    await page.goto(f"{still_url}activity?status=failed,dead_letter&type=email")
    await settled(page)
    rows = page.locator(".event-list li")
    await expect(rows.first).to_be_visible()
    assert set(await texts(page, ".event-list .tag")) <= {"Failed", "Dead letter"}
    assert set(await texts(page, ".event-job > a:first-child")) == {"email.send"}
    await page.get_by_label("Failed").uncheck()
    await expect(page).to_have_url(re.compile("status=dead_letter&"))
    await expect(page.locator(".event-list .tag").first).to_have_text("Dead letter")


async def test_history_is_read_on_while_few_rows_exist(page: Page, still_url: str) -> None:
    await page.goto(f"{still_url}activity")
    await settled(page)
    rows = page.locator(".event-list li")
    await expect(rows.first).to_have_attribute("aria-posinset", "1")
    for _ in range(12):
        await page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        await page.wait_for_timeout(100)
    await expect(rows.last).to_have_attribute("aria-posinset", re.compile(r"\d{3,}"))
    assert await rows.count() < 80


async def test_lists_can_be_used_by_keyboard(page: Page, still_url: str) -> None:
    await page.goto(f"{still_url}errors?range=month")
    await settled(page)
    first = page.locator("tbody th a").first
    for _ in range(60):
        await page.keyboard.press("Tab")
        if await first.evaluate("link => link === document.activeElement"):
            break
    await expect(first).to_be_focused()
    message = await first.inner_text()
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text(message)


async def test_pages_are_in_german(browser: Browser, still_url: str) -> None:
    async with visiting_dashboard(browser, still_url, locale="de-DE") as page:
        for path, title in (("errors", "Fehler"), ("activity", "Aktivität"), ("types", "Typen")):
            await page.goto(still_url + path)
            await settled(page)
            await expect(page.locator("h1")).to_have_text(title)


@pytest.mark.parametrize(
    ("zone", "offset", "clock"),
    [
        ("Asia/Kathmandu", "UTC+05:45", "17:45"),
        ("America/New_York", "UTC\N{MINUS SIGN}05:00", "07:00"),
    ],
)
async def test_times_are_those_of_the_zone(
    browser: Browser, still_url: str, zone: str, offset: str, clock: str
) -> None:
    moment = "from=2026-11-20T12:00:00Z&until=2026-11-20T13:00:00Z"
    async with visiting_dashboard(browser, still_url, timezone_id=zone) as page:
        await page.goto(f"{still_url}types?{moment}")
        await settled(page)
        pinned = page.locator(".pinned")
        await expect(pinned).to_contain_text(offset)
        await expect(pinned).to_contain_text(clock)
        await page.goto(f"{still_url}activity")
        await settled(page)
        title = await page.locator(".event-list time").first.get_attribute("title")
        assert title
        assert title.endswith(offset)


async def test_hidden_messages_are_explained(
    browser: Browser, demo_url: str, demo_folder: Path
) -> None:
    assert demo_url
    database_url = embedded.find(demo_folder / "data")
    assert database_url is not None
    token = await mint(database_url, Role.VIEWER, name="reader of lists")
    with running(SERVE_COMMAND, demo_folder, JOBLENS_REDACT_KEYS=HIDDEN) as url:
        base = url.removesuffix("graphql")
        async with visiting_dashboard(browser, base, REFUSED) as page:
            await page.goto(base)
            await page.get_by_label("Token").fill(token.text)
            await page.get_by_role("button", name="Sign in").click()
            await page.get_by_role("link", name="Errors", exact=True).click()
            hint = page.get_by_role("heading", name="The messages of errors are hidden")
            await expect(hint).to_be_visible()
            await expect(page.get_by_role("link", name="Jobs that failed")).to_be_visible()
            assert await find_violations(page) == []

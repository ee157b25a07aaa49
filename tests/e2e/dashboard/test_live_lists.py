"""Activity and errors as they happen: nothing moves under the reader, and nothing is missed."""

import re
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.dashboard.axe import find_violations
from tests.e2e.dashboard.visits import settled, visiting_dashboard
from tests.support.patience import PATIENCE_SECONDS

CREATE = """mutation ($type: String!) {
  createJob(input: {type: $type}) { ... on CreateJobPayload { job { id } } }
}"""
CANCEL = """mutation ($id: ID!) {
  cancelJob(id: $id, reason: "not needed") { ... on JobPayload { job { status } } }
}"""
FAIL = """mutation ($id: ID!, $message: String!) {
  run: transitionJob(input: {id: $id, to: RUNNING}) { ... on JobPayload { job { id } } }
  fail: transitionJob(input: {id: $id, to: FAILED, errorMessage: $message}) {
    ... on JobPayload { job { id } }
  }
}"""

# Digits are left out of the fingerprint of a message: letters give it a group of its own.
LETTERS = str.maketrans("0123456789", "ghijklmnop")


@pytest.fixture
async def live_page(browser: Browser, live_url: str) -> AsyncIterator[Page]:
    async with visiting_dashboard(browser, live_url) as page:
        yield page


def ask(url: str, query: str, **variables: Any) -> Any:
    body = {"query": query, "variables": variables}
    answer = httpx.post(f"{url}graphql", json=body, timeout=PATIENCE_SECONDS).json()
    assert "errors" not in answer, answer["errors"]
    return answer["data"]


def create(url: str, type_: str) -> str:
    id_: str = ask(url, CREATE, type=type_)["createJob"]["job"]["id"]
    return id_


async def open_activity(page: Page, url: str, type_: str) -> None:
    """Open the stream of one type, and wait until it is live."""
    await page.goto(f"{url}activity?type={type_}")
    await settled(page)
    await expect(page.locator(".live")).to_have_text("Live")


async def test_events_appear_as_they_happen(live_page: Page, live_url: str) -> None:
    type_ = f"e2e.{uuid.uuid4()}"
    create(live_url, type_)
    await open_activity(live_page, live_url, type_)
    rows = live_page.locator(".event-list li")
    await expect(rows).to_have_count(1)
    id_ = create(live_url, type_)
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text(id_[:8])


async def test_the_overview_renews_its_panels_after_events(live_page: Page, live_url: str) -> None:
    """Also those that are of whole hours."""
    await live_page.goto(live_url)
    await settled(live_page)
    await expect(live_page.locator(".live")).to_have_text("Live")
    message = f"no tables left for {uuid.uuid4().hex[:8].translate(LETTERS)}"
    ask(live_url, FAIL, id=create(live_url, "e2e.overview"), message=message)
    errors = live_page.get_by_role("region", name="Errors", exact=True).first
    await expect(errors).to_contain_text(message, timeout=PATIENCE_SECONDS * 1_000)


async def test_what_has_just_happened_is_not_in_the_future(live_page: Page, live_url: str) -> None:
    await live_page.goto(live_url)
    await settled(live_page)
    await expect(live_page.locator(".live")).to_have_text("Live")
    times = live_page.locator(".events time")
    before = await times.first.get_attribute("datetime")
    shown: list[str] = []
    # Longer than from one tick of the page's times to the next.
    for _ in range(13):
        await live_page.wait_for_timeout(500)
        shown += await times.all_inner_texts()
    assert await times.first.get_attribute("datetime") != before
    assert not [words for words in shown if words.startswith("in ")]


async def test_new_events_wait_while_the_reader_points_at_the_list(
    live_page: Page, live_url: str
) -> None:
    type_ = f"e2e.{uuid.uuid4()}"
    first = create(live_url, type_)
    await open_activity(live_page, live_url, type_)
    rows = live_page.locator(".event-list li")
    await rows.first.hover()
    for _ in range(3):
        create(live_url, type_)
    bar = live_page.get_by_role("button", name="3 new events: show")
    await expect(bar).to_be_visible()
    await expect(rows).to_have_count(1)
    await expect(rows.first).to_contain_text(first[:8])
    assert await find_violations(live_page) == []
    await live_page.keyboard.press(".")
    await expect(rows).to_have_count(4)
    await expect(bar).to_have_count(0)


async def test_who_did_it_can_be_filtered_by(live_page: Page, live_url: str) -> None:
    type_ = f"e2e.{uuid.uuid4()}"
    ask(live_url, CANCEL, id=create(live_url, type_))
    create(live_url, "e2e.another")
    await open_activity(live_page, live_url, type_)
    await expect(live_page.locator(".event-list")).to_contain_text("not needed")
    await live_page.locator(".actor").first.click()
    await expect(live_page).to_have_url(re.compile("by=anonymous"))
    await live_page.get_by_label("Type begins with").fill("")
    await expect(live_page).not_to_have_url(re.compile("type="))
    rows = live_page.locator(".event-list li")
    await expect(rows.nth(2)).to_be_visible()
    # The demo's own workers do not say who they are.
    await expect(rows.filter(has_not_text="by anonymous")).to_have_count(0)


async def test_a_new_error_waits_in_the_bar(live_page: Page, live_url: str) -> None:
    await live_page.goto(f"{live_url}errors")
    await settled(live_page)
    await expect(live_page.locator(".live")).to_have_text("Live")
    message = f"the {uuid.uuid4().hex.translate(LETTERS)} broke"
    ask(live_url, FAIL, id=create(live_url, "e2e.errors"), message=message)
    bar = live_page.get_by_role("button", name=re.compile(r"\d+ new errors?: show"))
    await expect(bar).to_be_visible()
    await expect(live_page.get_by_text(message)).to_have_count(0)
    await live_page.keyboard.press(".")
    await expect(live_page.get_by_text(message)).to_be_visible()
    row = live_page.locator("tr").filter(has_text=message)
    await expect(row.get_by_text("New", exact=True)).to_be_visible()

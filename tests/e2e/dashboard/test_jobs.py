"""The list of jobs: found by words, by facets, by a time; read on; chosen by keys; changed in bulk."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.async_api import Browser, Locator, Page, expect

from resolvers.viewer import Role
from tests.e2e.dashboard.axe import find_violations
from tests.e2e.dashboard.conftest import GuardedDashboard
from tests.e2e.dashboard.visits import settled, visiting_dashboard

CREATE = """mutation Create($jobs: [CreateJobInput!]!) { createJobs(input: $jobs) {
  __typename ... on CreateJobsPayload { jobs { id } } } }"""


def search_box(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Search jobs")


def rows(page: Page) -> Locator:
    return page.locator("tr[data-id]")


def searched(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query).get("q", [""])[0]


@pytest.fixture
async def jobs(page: Page, still_url: str) -> Page:
    await page.goto(f"{still_url}jobs")
    await settled(page)
    await expect(rows(page).first).to_be_visible()
    return page


async def test_words_are_completed_and_become_chips(jobs: Page) -> None:
    await jobs.keyboard.press("/")
    await jobs.keyboard.type("sta")
    await expect(jobs.get_by_role("option", name="status:")).to_be_visible()
    await jobs.keyboard.press("ArrowDown")
    await jobs.keyboard.press("Enter")
    await jobs.keyboard.type("fai")
    await jobs.keyboard.press("ArrowDown")
    await jobs.keyboard.press("Enter")
    await expect(search_box(jobs)).to_have_value("status:failed ")
    await jobs.keyboard.type("type:em")
    await expect(jobs.get_by_role("option", name="email.send")).to_be_visible()
    await jobs.keyboard.press("ArrowDown")
    await jobs.keyboard.press("Enter")
    await jobs.keyboard.press("Enter")
    await expect(jobs).to_have_url(re.compile("q="))
    assert searched(jobs) == "status:failed type:email.send"
    await expect(jobs.locator(".chip")).to_have_text(["status:failed", "type:email.send"])
    await expect(rows(jobs).filter(has_not_text="Failed")).to_have_count(0)
    for row in await rows(jobs).all_inner_texts():
        assert "email.send" in row
    await jobs.get_by_role("button", name="Remove status:failed").click()
    await expect(jobs.locator(".chip")).to_have_text(["type:email.send"])
    await settled(jobs)
    assert await find_violations(jobs) == []


async def test_what_cannot_be_read_is_said(jobs: Page) -> None:
    await search_box(jobs).fill("colour:red")
    await search_box(jobs).press("Enter")
    await expect(jobs.get_by_role("alert")).to_contain_text("There is no key “colour”")
    # The list stays as it was.
    await expect(rows(jobs).first).to_be_visible()


async def test_facets_add_and_remove_conditions(jobs: Page) -> None:
    facets = jobs.locator(".facets")
    await facets.get_by_label("Failed").click()
    await expect(jobs.locator(".chip")).to_have_text(["status:failed"])
    await facets.get_by_label("Canceled").click()
    await expect(jobs.locator(".chip")).to_have_text(["status:failed,canceled"])
    await expect(facets.get_by_label("Succeeded")).not_to_be_checked()
    await facets.get_by_label("Failed").click()
    await expect(jobs.locator(".chip")).to_have_text(["status:canceled"])
    await expect(rows(jobs).first).to_contain_text("Canceled")


async def test_a_time_is_chosen_by_dragging_or_by_fields(jobs: Page) -> None:
    bars = jobs.locator(".bars")
    box = await bars.bounding_box()
    assert box is not None
    await jobs.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 20)
    await jobs.mouse.down()
    await jobs.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 20)
    await jobs.mouse.up()
    await expect(jobs.locator(".chip")).to_have_count(1)
    await expect(jobs).to_have_url(re.compile(r"from=\S+&until="))
    await jobs.get_by_label("From").fill("2026-01-01T00:00:00")
    await jobs.get_by_role("button", name="Apply").click()
    await expect(jobs.locator(".chip")).to_have_text([re.compile("Jan 1, 2026, 00:00")])
    await jobs.locator(".chip").get_by_role("button").click()
    await expect(jobs.locator(".chip")).to_have_count(0)


async def test_the_view_is_in_the_url(jobs: Page) -> None:
    await jobs.get_by_role("button", name="Columns").click()
    await jobs.get_by_role("checkbox", name="Priority").check()
    await jobs.keyboard.press("Escape")
    await jobs.get_by_role("button", name="Priority").click()
    await expect(jobs.locator("th[aria-sort]")).to_have_text("Priority")
    await settled(jobs)
    first = await rows(jobs).first.get_attribute("data-id")
    await jobs.reload()
    await expect(jobs.locator("th[aria-sort]")).to_have_text("Priority")
    await expect(rows(jobs).first).to_have_attribute("data-id", first or "")


async def test_only_rows_in_view_exist(jobs: Page) -> None:
    seen: set[str] = set()
    for _ in range(60):
        ids = await rows(jobs).evaluate_all("rows => rows.map(row => row.dataset.id)")
        assert len(ids) <= 60
        seen.update(ids)
        if await jobs.get_by_text("End of the list").count():
            break
        await jobs.mouse.wheel(0, 1_500)
        await jobs.wait_for_timeout(100)
    await expect(jobs.get_by_text("End of the list")).to_be_visible()
    found = await jobs.locator(".page-actions strong").inner_text()
    assert len(seen) > 500
    assert found.endswith("jobs")


async def test_keys_alone_are_enough(jobs: Page) -> None:
    await jobs.keyboard.press("j")
    await jobs.keyboard.press("j")
    second = rows(jobs).nth(1)
    await expect(second).to_be_focused()
    await jobs.keyboard.press("x")
    await expect(second.get_by_role("checkbox")).to_be_checked()
    await jobs.keyboard.press("j")
    await jobs.keyboard.press("Shift+X")
    await expect(jobs.get_by_text("2 selected")).to_be_visible()
    id_ = await rows(jobs).nth(2).get_attribute("data-id")
    await jobs.keyboard.press("Enter")
    await expect(jobs).to_have_url(re.compile(f"/jobs/{id_}$"))
    await jobs.go_back()
    # The row that was left is marked.
    await expect(jobs.locator("tr[aria-current]")).to_have_attribute("data-id", id_ or "")


async def create(url: str, token: str, count: int, **values: Any) -> None:
    """Create so many jobs with these values."""
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
        for start in range(0, count, 1_000):
            many = [values] * min(1_000, count - start)
            body = {"query": CREATE, "variables": {"jobs": many}}
            assert "errors" not in (await client.post("graphql", json=body)).json()


@asynccontextmanager
async def signed_in(
    browser: Browser, dashboard: GuardedDashboard, role: Role
) -> AsyncIterator[Page]:
    """A visit with a token of a role, which the tab already has."""
    async with visiting_dashboard(browser, dashboard.url) as page:
        keep = f"sessionStorage.setItem('joblens:token', '{dashboard.tokens[role]}')"
        await page.context.add_init_script(keep)
        yield page


@pytest.fixture
async def operator(browser: Browser, by_roles: GuardedDashboard) -> AsyncIterator[Page]:
    async with signed_in(browser, by_roles, Role.OPERATOR) as page:
        yield page


@pytest.mark.parametrize("role", [Role.VIEWER, Role.WRITER])
async def test_who_may_not_act_selects_nothing(
    browser: Browser, by_roles: GuardedDashboard, role: Role
) -> None:
    async with signed_in(browser, by_roles, role) as page:
        await page.goto(f"{by_roles.url}jobs")
        await settled(page)
        await expect(rows(page).first).to_be_visible()
        await expect(rows(page).get_by_role("checkbox")).to_have_count(0)


async def test_an_act_on_many_says_its_extent_first(
    operator: Page, by_roles: GuardedDashboard
) -> None:
    token = by_roles.tokens[Role.OPERATOR]
    await create(by_roles.url, token, 1_200, type="bulk.many")
    await operator.goto(f"{by_roles.url}jobs?q=type:bulk.many")
    await settled(operator)
    await rows(operator).first.get_by_role("checkbox").check()
    await operator.get_by_role("button", name="Select all that match").click()
    await operator.get_by_role("button", name="Cancel", exact=True).click()
    dialog = operator.get_by_role("dialog")
    await expect(dialog).to_contain_text("type:bulk.many")
    await expect(dialog).to_contain_text("1,200")
    assert await find_violations(operator) == []
    act = dialog.get_by_role("button", name="Cancel", exact=True)
    await expect(act).to_be_disabled()
    await dialog.get_by_label("Type 1,200 to confirm").fill("1200")
    await dialog.get_by_label("Reason").fill("not needed")
    await act.click()
    await expect(dialog).to_contain_text("Done: 1,200 changed, 0 skipped.")
    await dialog.get_by_role("link", name="Show them").click()
    await expect(operator.locator(".page-actions strong")).to_have_text("1,200 jobs")


async def test_jobs_that_changed_since_are_left_alone(
    operator: Page, by_roles: GuardedDashboard
) -> None:
    token = by_roles.tokens[Role.OPERATOR]
    await create(by_roles.url, token, 3, type="bulk.few")
    await operator.goto(f"{by_roles.url}jobs?q=type:bulk.few")
    await settled(operator)
    for number in range(3):
        await rows(operator).nth(number).get_by_role("checkbox").check()
    # Another client is faster with one of them.
    first = await rows(operator).first.get_attribute("data-id")
    cancel = "mutation($id: ID!) { cancelJob(id: $id) { __typename } }"
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as client:
        body = {"query": cancel, "variables": {"id": first}}
        await client.post(f"{by_roles.url}graphql", json=body)
    await expect(rows(operator).first).to_contain_text("Canceled")
    await operator.get_by_role("button", name="Cancel", exact=True).click()
    dialog = operator.get_by_role("dialog")
    await dialog.get_by_label("Reason").fill("not needed")
    await dialog.get_by_role("button", name="Cancel", exact=True).click()
    await expect(dialog).to_contain_text("Done: 2 changed, 0 skipped.")


async def test_new_jobs_wait_while_the_reader_is_at_work(
    operator: Page, by_roles: GuardedDashboard
) -> None:
    token = by_roles.tokens[Role.OPERATOR]
    await create(by_roles.url, token, 3, type="arriving")
    await operator.goto(f"{by_roles.url}jobs?q=type:arriving")
    await settled(operator)
    await expect(rows(operator)).to_have_count(3)
    await expect(operator.locator(".live-live")).to_be_visible()
    await rows(operator).first.hover()
    await create(by_roles.url, token, 2, type="arriving")
    await create(by_roles.url, token, 2, type="other")
    await expect(operator.get_by_role("button", name="Show 2 new")).to_be_visible()
    await expect(rows(operator)).to_have_count(3)
    await operator.keyboard.press(".")
    await expect(rows(operator)).to_have_count(5)
    # While the reader looks elsewhere they come by themselves.
    await operator.mouse.move(5, 5)
    await operator.locator("h1").click()
    await create(by_roles.url, token, 1, type="arriving")
    await expect(rows(operator)).to_have_count(6)

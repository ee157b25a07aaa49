"""The page of a job: what it says of it, and what it lets be done."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

import httpx
import pytest
from playwright.async_api import Browser, Locator, Page, expect

from resolvers.viewer import Role
from tests.e2e.dashboard.axe import find_violations
from tests.e2e.dashboard.conftest import GuardedDashboard
from tests.e2e.dashboard.ledger import CREATE, Ledger
from tests.e2e.dashboard.visits import settled, visiting_dashboard
from tests.support.patience import PATIENCE_SECONDS

UNKNOWN = "00000000-0000-7000-8000-000000000000"
OVERFLOW = "document.documentElement.scrollWidth - window.innerWidth"
DEPTH = 98


class Visit(Protocol):
    def __call__(self, role: Role, **options: Any) -> AbstractAsyncContextManager[Page]: ...


@pytest.fixture
def ledger(by_roles: GuardedDashboard) -> Ledger:
    return Ledger(by_roles.url, by_roles.tokens[Role.ADMIN])


@pytest.fixture
def visit(browser: Browser, by_roles: GuardedDashboard) -> Visit:
    """Open a page as a viewer with a role."""

    @asynccontextmanager
    async def visiting(role: Role, **options: Any) -> AsyncIterator[Page]:
        async with visiting_dashboard(browser, by_roles.url, **options) as page:
            token = json.dumps(by_roles.tokens[role])
            await page.add_init_script(f"sessionStorage.setItem('joblens:token', {token})")
            yield page

    return visiting


@pytest.fixture
async def operator(visit: Visit) -> AsyncIterator[Page]:
    async with visit(Role.OPERATOR) as page:
        yield page


async def show(page: Page, ledger: Ledger, id_: str) -> None:
    await page.goto(f"{ledger.url}jobs/{id_}")
    await settled(page)


def verdict(page: Page) -> Locator:
    return page.get_by_role("region", name="State of the job")


def panel(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name)


def toast(page: Page) -> Locator:
    return page.locator(".toast").last


def act(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name="Acts").get_by_role("button", name=name, exact=True)


def failed(ledger: Ledger, **job: Any) -> str:
    id_ = ledger.create(**job)
    ledger.fail(id_, "SMTP_TIMEOUT", "no answer from mx1.example.com\nafter 30 s")
    return id_


async def test_a_failed_job(operator: Page, ledger: Ledger) -> None:
    id_ = failed(ledger, requestedBy="api", tags=["eu"], maxAttempts=3)
    ledger.retry(id_)
    ledger.fail(id_, "SMTP_TIMEOUT", "no answer from mx2.example.com\nafter 30 s")
    await show(operator, ledger, id_)
    await expect(operator.locator("h1")).to_have_text("test.job")
    await expect(verdict(operator)).to_contain_text("Attempt 2 of 3 failed with SMTP_TIMEOUT")
    error = panel(operator, "Last error")
    await expect(error.locator("pre")).to_have_text("no answer from mx2.example.com\nafter 30 s")
    others = error.get_by_role("link", name="Others like this")
    await expect(others).to_have_attribute("href", f"/errors/{encoded_group(ledger, id_)}")
    attempts = panel(operator, "Attempts")
    await expect(attempts.get_by_role("row")).to_have_count(3)
    await expect(attempts.get_by_role("img")).to_have_accessible_name(
        re.compile("^Attempts: 1 queued")
    )
    siblings = panel(operator, "Jobs like this").get_by_role("link")
    assert len(await siblings.all()) == 3


def encoded_group(ledger: Ledger, id_: str) -> str:
    group: str = ledger.job(id_, "errorGroup { id }")["errorGroup"]["id"]
    return group.replace(":", "%3A")


async def test_a_job_that_waits(operator: Page, ledger: Ledger) -> None:
    first = ledger.create(queue="slow", priority=5)
    id_ = ledger.create(queue="slow", scheduledAt="2099-01-01T00:00:00Z")
    await show(operator, ledger, id_)
    await expect(verdict(operator)).to_contain_text("It is scheduled for later. Due in ")
    await show(operator, ledger, first)
    await expect(verdict(operator)).to_contain_text("There was no start in its queue lately.")
    behind = ledger.create(queue="slow")
    await show(operator, ledger, behind)
    await expect(verdict(operator)).to_contain_text("1 job goes first.")
    await verdict(operator).get_by_role("link", name="slow").click()
    await expect(operator).to_have_url(f"{ledger.url}queues/slow")


async def test_a_running_job_with_progress(operator: Page, ledger: Ledger) -> None:
    id_ = ledger.create()
    ledger.change(id_, "RUNNING", worker="worker-1")
    ledger.progress(id_, 0.25, "resize")
    await show(operator, ledger, id_)
    await expect(verdict(operator)).to_contain_text("25% · resize")
    bar = verdict(operator).get_by_role("progressbar", name="Progress")
    await expect(bar).to_have_js_property("value", 0.25)
    # What is read is not interrupted by what arrives.
    field = panel(operator, "At another time").get_by_label("Time (")
    await field.focus()
    ledger.progress(id_, 0.75, "upload")
    await expect(verdict(operator)).to_contain_text("75% · upload")
    ledger.change(id_, "SUCCEEDED", result={"pages": 3})
    await expect(verdict(operator)).to_contain_text("Succeeded in")
    await expect(panel(operator, "Result").get_by_role("tree")).to_contain_text("pages: 3")
    await expect(panel(operator, "Events (").get_by_role("row")).to_have_count(6)
    await expect(field).to_be_focused()


def hostile() -> str:
    """A payload of nearly 256 KiB that is deep, wide, and written to deceive, as JSON."""
    deep: Any = "the bottom"
    for level in range(DEPTH):
        deep = {f"level {level}": deep} if level % 2 else [deep]
    items = [{"sku": f"sku-{n}", "text": "x" * 40} for n in range(2_700)]
    value = {
        "a deep one": deep,
        "html": "<img src=x onerror=alert(1)>",
        "items": items,
        "rtl": "مرحبا \u202eabc",
        "zero\u200bwidth": "y" * 10_000,
    }
    numbers = '"max": 9223372036854775808, "pi": 3.14159265358979323846264338327950288'
    return f"{json.dumps(value)[:-1]}, {numbers}}}"


async def test_a_huge_and_hostile_payload(
    operator: Page, ledger: Ledger, by_roles: GuardedDashboard
) -> None:
    text = hostile()
    assert 200_000 < len(text) < 262_144
    id_ = create_with_text(by_roles, ledger, text)
    await show(operator, ledger, id_)
    payload = panel(operator, "Payload")
    tree = payload.get_by_role("tree")
    await expect(tree).to_contain_text("max: 9223372036854775808")
    await expect(tree).to_contain_text("pi: 3.14159265358979323846264338327950288")
    await expect(tree).to_contain_text('html: "<img src=x onerror=alert(1)>"')
    assert await operator.locator("img[onerror], img[src=x]").count() == 0
    await expect(tree).to_contain_text("⟨202E⟩")
    # Rows that are not in view are not in the page.
    await payload.get_by_role("button", name="Open all").click()
    assert await tree.get_by_role("treeitem").count() < 80
    await payload.get_by_role("searchbox").fill("sku-2699")
    await expect(payload).to_contain_text("1 of 1")
    found = tree.locator('[data-active="true"]')
    await expect(found).to_contain_text('sku: "sku-2699"')
    await expect(found).to_be_in_viewport()
    await payload.get_by_role("searchbox").fill("yyyy")
    await expect(found).to_contain_text("zero⟨200B⟩width")
    await expect(payload).to_contain_text("10,000 characters")
    # What is deep is reached by scrolling inside.
    await payload.get_by_role("searchbox").fill("the bottom")
    await expect(found).to_contain_text('"the bottom"')
    await expect(found).to_have_attribute("aria-level", str(DEPTH + 2))
    assert await operator.evaluate(OVERFLOW) <= 0


def create_with_text(by_roles: GuardedDashboard, ledger: Ledger, payload: str) -> str:
    """Create a job with a payload whose numbers Python would round."""
    marked = json.dumps(
        {"query": CREATE, "variables": {"input": {"type": "test.job", "payload": "@"}}}
    )
    created = httpx.post(
        f"{by_roles.url}graphql",
        content=marked.replace('"@"', payload),
        headers={"Authorization": f"Bearer {ledger.token}", "Content-Type": "application/json"},
        timeout=PATIENCE_SECONDS,
    ).json()
    id_: str = created["data"]["createJob"]["job"]["id"]
    return id_


async def test_a_tree_by_keyboard(operator: Page, ledger: Ledger) -> None:
    id_ = ledger.create(payload={"customer": {"id": "cus 1", "vip": True}, "n": [1, [2]]})
    await show(operator, ledger, id_)
    payload = panel(operator, "Payload")
    tree = payload.get_by_role("tree")
    active = tree.locator('[data-active="true"]')
    await tree.focus()
    await operator.keyboard.press("End")
    await expect(active).to_contain_text("vip: true")
    await operator.keyboard.press("ArrowLeft")
    await operator.keyboard.press("ArrowLeft")
    await expect(active).to_have_attribute("aria-expanded", "false")
    await operator.keyboard.press("Home")
    await expect(active).to_have_attribute("aria-level", "1")
    await operator.keyboard.press("End")
    await operator.keyboard.press("ArrowRight")
    await operator.keyboard.press("ArrowRight")
    await expect(active).to_contain_text('id: "cus 1"')
    await expect(payload.locator("code")).to_have_text("$.customer.id")
    await operator.keyboard.press("Enter")
    await expect(operator).to_have_url(
        re.compile(r"/jobs\?q=payload\.customer\.id%3D%22cus\+1%22$")
    )


async def test_roles(visit: Visit, ledger: Ledger) -> None:
    id_ = failed(ledger, payload={"password": "hunter2", "city": "Berlin"})
    for role in (Role.VIEWER, Role.WRITER):
        async with visit(role) as page:
            await show(page, ledger, id_)
            await expect(page.get_by_text(f"Read-only: {role.value.capitalize()}")).to_be_visible()
            await expect(page.get_by_role("group", name="Acts")).to_have_count(0)
            await page.keyboard.press("r")
            await expect(panel(page, "Payload").get_by_role("tree")).to_contain_text("[redacted]")
    assert ledger.job(id_, "status")["status"] == "FAILED"
    async with visit(Role.ADMIN) as page:
        await show(page, ledger, id_)
        await expect(panel(page, "Payload").get_by_role("tree")).to_contain_text("hunter2")
        await expect(act(page, "Retry")).to_be_enabled()


async def test_what_the_state_forbids_has_its_reason(operator: Page, ledger: Ledger) -> None:
    id_ = ledger.create()
    await show(operator, ledger, id_)
    await expect(act(operator, "Retry")).to_be_disabled()
    await expect(act(operator, "Retry")).to_have_accessible_description(
        "The job is queued already."
    )
    foreign = ledger.record(externalId="e2e-1", ts="2026-01-01T00:00:00Z", status="RUNNING")
    await show(operator, ledger, foreign)
    for name in ("Retry", "Cancel job", "Reschedule", "Run as new"):
        await expect(act(operator, name)).to_be_disabled()
    reason = "The job is run by billing, and can be changed only there."
    await expect(act(operator, "Cancel job")).to_have_accessible_description(reason)
    source = panel(operator, "Details").get_by_role("link", name="billing")
    assert len(await source.all()) == 2


async def test_retries_without_a_question_and_takes_it_back(operator: Page, ledger: Ledger) -> None:
    id_ = failed(ledger)
    await show(operator, ledger, id_)
    await act(operator, "Retry").click()
    await expect(toast(operator)).to_contain_text("test.job is queued again.")
    await expect(verdict(operator)).to_contain_text("Queued")
    await toast(operator).get_by_role("button", name="Undo").click()
    await expect(verdict(operator)).to_contain_text("Canceled while it waited for attempt 2")
    await expect(act(operator, "Retry")).to_be_enabled()
    assert ledger.job(id_, "status")["status"] == "CANCELED"


async def test_cancels_with_a_reason_and_takes_it_back(operator: Page, ledger: Ledger) -> None:
    id_ = ledger.create()
    await show(operator, ledger, id_)
    await operator.keyboard.press("c")
    dialog = operator.get_by_role("dialog", name="Cancel this job?")
    await dialog.get_by_label("Reason").fill("twice")
    await operator.keyboard.press("Enter")
    await expect(verdict(operator)).to_contain_text("Canceled before it was started.")
    newest = panel(operator, "Events (").get_by_role("row").nth(1)
    await expect(newest).to_contain_text("operator")
    await newest.get_by_role("button", name="reason").click()
    await expect(operator.get_by_role("tree").last).to_contain_text('reason: "twice"')
    await toast(operator).get_by_role("button", name="Undo").click()
    await expect(verdict(operator)).to_contain_text("Queued")


async def test_says_that_someone_was_faster(operator: Page, ledger: Ledger) -> None:
    id_ = failed(ledger)
    await show(operator, ledger, id_)
    await operator.get_by_role("button", name="Pause live updates").click()
    ledger.retry(id_)
    await expect(verdict(operator)).to_contain_text("failed with")
    await act(operator, "Retry").click()
    await expect(toast(operator)).to_contain_text("Someone was faster: test.job is Queued now.")
    await expect(toast(operator).get_by_role("button", name="Undo")).to_have_count(0)
    await expect(verdict(operator)).to_contain_text("Queued")


async def test_reschedules(operator: Page, ledger: Ledger) -> None:
    id_ = ledger.create(priority=1)
    await show(operator, ledger, id_)
    await act(operator, "Reschedule").click()
    dialog = operator.get_by_role("dialog", name="Reschedule")
    await dialog.get_by_label("At a time").check()
    await dialog.get_by_label("Time (").fill("2099-02-03T04:05")
    await dialog.get_by_label("Priority").fill("7")
    await dialog.get_by_role("button", name="Reschedule").click()
    await expect(verdict(operator)).to_contain_text("It is scheduled for later.")
    job = ledger.job(id_, "priority scheduledAt")
    assert job["priority"] == 7
    assert job["scheduledAt"].startswith("2099-02-03T")
    await toast(operator).get_by_role("button", name="Undo").click()
    await expect(toast(operator)).to_contain_text("rescheduled")
    await expect(verdict(operator)).not_to_contain_text("It is scheduled for later.")
    job = ledger.job(id_, "priority scheduledAt")
    assert job["priority"] == 1
    assert not job["scheduledAt"].startswith("2099")


async def test_runs_again_as_new(operator: Page, ledger: Ledger) -> None:
    id_ = failed(ledger, payload={"password": "hunter2", "n": 1})
    await show(operator, ledger, id_)
    await act(operator, "Run as new").click()
    dialog = operator.get_by_role("dialog", name="Run again as a new job")
    editor = dialog.get_by_label("Payload")
    await expect(editor).to_have_value('{\n  "n": 1,\n  "password": "[redacted]"\n}')
    await editor.fill('{"n": 9223372036854775809, "password": "[redacted]"}')
    await expect(dialog).to_contain_text("A part of it is hidden from you as [redacted]")
    await editor.fill('{"n": 1,\n}')
    await expect(dialog).to_contain_text("This is not JSON: line 2, column 1.")
    await editor.fill('{"n": 9223372036854775809, "list": []}')
    await dialog.get_by_role("button", name="Create the job").click()
    await toast(operator).get_by_role("button", name="Open it").click()
    tree = panel(operator, "Payload").get_by_role("tree")
    await expect(tree).to_contain_text("n: 9223372036854775809")
    assert id_ not in operator.url


async def test_a_job_that_does_not_exist(operator: Page, ledger: Ledger) -> None:
    await show(operator, ledger, UNKNOWN)
    await expect(operator.get_by_text(f"There is no job {UNKNOWN}.")).to_be_visible()
    await show(operator, ledger, "nonsense")
    await expect(operator.get_by_text("“nonsense” is not the id of a job")).to_be_visible()


async def test_what_it_was_at_a_time(operator: Page, ledger: Ledger) -> None:
    id_ = ledger.record(externalId="e2e-2", ts="2026-03-01T12:00:00Z", status="QUEUED")
    ledger.record(externalId="e2e-2", ts="2026-03-01T12:05:00Z", status="RUNNING")
    ledger.record(externalId="e2e-2", ts="2026-03-01T12:09:00Z", status="SUCCEEDED")
    await show(operator, ledger, id_)
    moment = panel(operator, "At another time")
    field = moment.get_by_label("Time (")
    started = (await field.input_value()).split(":")[0]
    for minute, status in (("04:59", "Queued"), ("05:00", "Running"), ("09:30", "Succeeded")):
        await field.fill(f"{started}:{minute}")
        await expect(moment.get_by_role("status")).to_contain_text(status)
    await field.fill("2020-01-01T00:00:00")
    await expect(moment.get_by_role("status")).to_have_text("The job did not exist.")


async def test_older_events(operator: Page, ledger: Ledger) -> None:
    id_ = ledger.create()
    for _ in range(15):
        ledger.fail(id_, "E", "again")
        ledger.retry(id_)
    await show(operator, ledger, id_)
    events = panel(operator, "Events (46)")
    await expect(events.get_by_role("row")).to_have_count(26)
    await events.get_by_role("button", name="Older").click()
    await expect(events.get_by_role("row")).to_have_count(22)
    await expect(events.get_by_role("row").last).to_contain_text("Queued")
    await expect(events.get_by_role("button", name="Older")).to_be_disabled()
    await events.get_by_role("button", name="Newer").click()
    await expect(events.get_by_role("row")).to_have_count(26)


async def test_a_child_and_its_parent(operator: Page, ledger: Ledger) -> None:
    parent = ledger.create(type="test.parent", batch="nightly")
    child = failed(ledger, parentId=parent)
    await show(operator, ledger, parent)
    children = panel(operator, "Children (1)")
    await expect(children.get_by_role("link", name="Failed 1 job")).to_be_visible()
    await expect(panel(operator, "Belongs to")).to_contain_text("nightly")
    await children.get_by_role("link", name="test.job").click()
    await expect(operator).to_have_url(f"{ledger.url}jobs/{child}")
    await expect(operator.locator("h1")).to_have_text("test.job")
    await panel(operator, "Belongs to").get_by_role("link", name="test.parent").click()
    await expect(operator.locator("h1")).to_have_text("test.parent")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_keeps_people_out(visit: Visit, ledger: Ledger, scheme: str) -> None:
    id_ = failed(ledger, payload={"a": {"b": [1, "two", None, True, "[redacted]"]}}, tags=["x"])
    waiting = ledger.create(parentId=id_, batch="nightly")
    async with visit(Role.OPERATOR, color_scheme=scheme) as page:
        await show(page, ledger, id_)
        await panel(page, "Events (").get_by_role("button", name="error_code").click()
        await expect(page.get_by_role("tree")).to_have_count(2)
        assert await find_violations(page) == []
        await act(page, "Run as new").click()
        await expect(page.get_by_role("dialog").get_by_label("Payload")).to_be_visible()
        assert await find_violations(page) == []
        await show(page, ledger, waiting)
        for name in ("Cancel job", "Reschedule"):
            await act(page, name).click()
            assert await find_violations(page) == []
            await page.keyboard.press("Escape")


async def test_keys(operator: Page, ledger: Ledger) -> None:
    id_ = failed(ledger)
    await show(operator, ledger, id_)
    await operator.keyboard.press("r")
    await expect(verdict(operator)).to_contain_text("Queued")
    await expect(act(operator, "Cancel job")).to_be_enabled()
    await operator.keyboard.press("c")
    await expect(operator.get_by_role("dialog", name="Cancel this job?")).to_be_visible()
    await operator.keyboard.press("r")
    await operator.keyboard.press("Escape")
    await expect(operator.get_by_role("dialog")).to_have_count(0)
    await expect(verdict(operator)).to_contain_text("Queued")
    await operator.keyboard.press("Escape")
    await expect(operator).to_have_url(f"{ledger.url}jobs")


async def test_leads_back_to_the_list_as_it_was(operator: Page, ledger: Ledger) -> None:
    failed(ledger, type="test.listed")
    await operator.goto(f"{ledger.url}jobs?q=type:test.listed")
    await settled(operator)
    listed = operator.url
    await operator.get_by_role("row").get_by_role("link", name="test.listed").first.click()
    await expect(verdict(operator)).to_contain_text("failed with")
    await operator.keyboard.press("Escape")
    await expect(operator).to_have_url(listed)

"""What is loaded first, what waits for it, and what is seen until then."""

import asyncio
import json
import re

from playwright.async_api import Browser, Page, Route, expect

from server.built_dashboard import read_documents
from tests.e2e.dashboard.visits import settled, visiting_dashboard

COUNTS = ("JobsCount", "JobsStatusFacet", "JobsGroupFacet", "JobsHistogram")
# As of a server that cannot be reached for a moment.
FAILED = "ERR_FAILED"


def operation_of(route: Route) -> str:
    """Get the name of the operation that is requested."""
    body = json.loads(route.request.post_data or "{}")
    text = read_documents()[body["documentId"].removeprefix("sha256:")]
    named = re.search(r"\b(?:query|mutation) (\w+)", text)
    assert named is not None
    return named[1]


async def held(page: Page, url: str) -> asyncio.Event:
    """Let no request for these URLs go on before the event."""
    release = asyncio.Event()

    async def hold(route: Route) -> None:
        await release.wait()
        await route.continue_()

    await page.route(url, hold)
    return release


async def test_the_header_is_there_before_the_script(page: Page, still_url: str) -> None:
    release = await held(page, "**/assets/dashboard/*.js")
    going = asyncio.create_task(page.goto(still_url))
    header = page.locator("header.shell")
    await expect(header).to_have_text("Joblens")
    # Its style has come, too.
    await expect(header).to_have_css("position", "sticky")
    before = await header.bounding_box()
    release.set()
    await going
    await settled(page)
    assert await header.bounding_box() == before
    assert await header.locator("img").is_visible()


async def test_counts_wait_for_the_rows(page: Page, still_url: str) -> None:
    release = asyncio.Event()
    asked: list[str] = []

    async def note(route: Route) -> None:
        name = operation_of(route)
        asked.append(name)
        if name == "JobsPage":
            await release.wait()
        await route.continue_()

    await page.route("**/graphql", note)
    await page.goto(f"{still_url}jobs")
    await expect(page.locator("h1")).to_be_visible()
    await page.wait_for_timeout(500)
    assert "JobsPage" in asked
    assert not {*COUNTS} & {*asked}
    release.set()
    await expect(page.locator("tr[data-id]").first).to_be_visible()
    await settled(page)
    assert {*COUNTS} <= {*asked}


async def test_a_page_stays_while_the_next_one_is_loaded(page: Page, still_url: str) -> None:
    release = await held(page, "**/errors-page-*.js")
    await page.goto(still_url)
    await settled(page)
    tiles = page.locator(".tile").first
    # What the click has done before the next task of the page.
    stays = await page.evaluate(
        """() => {
            document.querySelector('nav a[href$="/errors"]').click();
            return document.querySelector('.tile') !== null && !location.pathname.endsWith('errors');
        }"""
    )
    assert stays
    # It takes long: something is seen to happen.
    await page.wait_for_url("**/errors")
    await expect(tiles).to_have_count(0)
    await expect(page.locator(".loading").first).to_be_visible()
    release.set()
    await expect(page.locator("h1")).to_have_text("Errors")


async def test_a_page_that_takes_long_is_awaited_inside_of_the_shell(
    page: Page, still_url: str
) -> None:
    release = await held(page, "**/errors-page-*.js")
    await page.goto(f"{still_url}errors", wait_until="commit")
    await expect(page.get_by_role("navigation")).to_be_visible()
    await expect(page.locator(".loading").first).to_be_visible()
    release.set()
    await expect(page.locator("h1")).to_have_text("Errors")


async def test_the_last_of_two_clicks_wins(page: Page, still_url: str) -> None:
    release = await held(page, "**/errors-page-*.js")
    await page.goto(f"{still_url}types")
    await settled(page)
    await page.evaluate(
        """() => {
            document.querySelector('nav a[href$="/errors"]').click();
            document.querySelector('nav a').click();
        }"""
    )
    await page.wait_for_url(still_url)
    release.set()
    await settled(page)
    await page.wait_for_timeout(500)
    assert page.url == still_url


async def test_a_page_that_could_not_be_loaded_is_tried_again(
    browser: Browser, still_url: str
) -> None:
    async with visiting_dashboard(browser, still_url, (FAILED, "jobs-page-")) as page:
        await page.goto(still_url)
        await settled(page)
        await page.route("**/jobs-page-*.js", lambda route: route.abort())
        await page.get_by_role("navigation").get_by_role("link", name="Jobs").click()
        alert = page.get_by_role("alert")
        await expect(alert).to_be_visible()
        await page.unroute("**/jobs-page-*.js")
        await alert.get_by_role("button").click()
        await expect(page.locator("tr[data-id]").first).to_be_visible()
        await expect(alert).to_have_count(0)

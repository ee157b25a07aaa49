"""The dashboard where it is served in other ways: live, guarded, below a prefix, by documents only."""

from collections.abc import Mapping

import pytest
from playwright.async_api import Browser, Page, expect

from resolvers.viewer import Role
from tests.e2e.dashboard.conftest import GuardedDashboard
from tests.e2e.dashboard.visits import settled, visiting_dashboard


async def is_answered(page: Page) -> None:
    """Wait until the overview shows what the API answered."""
    await settled(page)
    await expect(page.get_by_role("navigation")).to_be_visible()
    await expect(page.get_by_role("alert")).to_have_count(0)
    await expect(page.get_by_role("main")).to_contain_text("Succeeded", ignore_case=True)


async def test_at_the_root(page: Page, still_url: str) -> None:
    async with page.expect_websocket() as opened:
        await page.goto(still_url)
    assert (await opened.value).url == still_url.replace("http", "ws", 1) + "graphql"
    await is_answered(page)


async def test_live(browser: Browser, live_url: str) -> None:
    async with visiting_dashboard(browser, live_url) as page:
        await page.goto(live_url)
        await is_answered(page)


async def test_by_its_documents_only(browser: Browser, documents_only_url: str) -> None:
    async with visiting_dashboard(browser, documents_only_url) as page:
        async with page.expect_websocket() as opened:
            await page.goto(documents_only_url)
        await (await opened.value).wait_for_event("framereceived")
        await is_answered(page)


# Of each depth of paths, and with a name that is encoded.
@pytest.mark.parametrize("name", ["overview", "jobs", "job", "queue", "error"])
async def test_below_a_prefix(
    browser: Browser, prefixed_url: str, places: Mapping[str, str], name: str
) -> None:
    async with visiting_dashboard(browser, prefixed_url) as page:
        await page.goto(prefixed_url + places[name])
        await settled(page)
        # By its own links it stays below the prefix.
        await page.get_by_role("navigation").get_by_role("link").nth(1).click()
        await page.wait_for_url(f"{prefixed_url}jobs**")
        await page.get_by_role("navigation").get_by_role("link").first.click()
        await page.wait_for_url(prefixed_url)
        await is_answered(page)
        await page.reload()
        await is_answered(page)


@pytest.mark.parametrize("role", list(Role))
async def test_signed_in_by_a_token(
    browser: Browser, by_roles: GuardedDashboard, role: Role
) -> None:
    async with visiting_dashboard(browser, by_roles.url) as page:
        requests: list[str] = []
        page.on("request", lambda each: each.method == "POST" and requests.append(each.url))
        await page.goto(by_roles.url)
        await expect(page.get_by_label("Token")).to_be_focused()
        assert requests == []
        await page.get_by_label("Token").fill(by_roles.tokens[role])
        await page.get_by_role("button", name="Sign in").click()
        await is_answered(page)
        await page.reload()
        await is_answered(page)

"""A server that stops and starts, a token that is revoked: the page says so, and misses nothing."""

import re
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, expect

from db import embedded
from resolvers.viewer import Role
from tests.e2e.conftest import SERVE_COMMAND, Guarded, new_data, running
from tests.e2e.dashboard.test_jobs import create
from tests.e2e.dashboard.visits import settled, visiting_dashboard
from tests.server.auth.minting import mint

# What a page without a server writes to the console, and what fails meanwhile.
LOST = ("WebSocket connection", "ERR_CONNECTION", "net::", "failed", "Failed to load resource")


async def test_nothing_is_missed_while_the_server_is_away(browser: Browser) -> None:
    with new_data() as folder, ExitStack() as stack:
        guarded = Guarded("", folder)
        guarded.joblens("migrate")
        guarded.joblens("org", "create", "Visitors")
        server = stack.enter_context(ExitStack())
        url = server.enter_context(running(SERVE_COMMAND, folder))
        base, port = url.removesuffix("graphql"), str(urlsplit(url).port)
        database_url = embedded.find(folder / "data")
        assert database_url is not None
        minted = await mint(database_url, Role.OPERATOR, name="operator")
        async with visiting_dashboard(browser, base, LOST) as page:
            keep = f"sessionStorage.setItem('joblens:token', '{minted.text}')"
            await page.context.add_init_script(keep)
            await page.goto(f"{base}activity")
            await settled(page)
            await expect(page.locator(".live-live")).to_be_visible()
            await create(base, minted.text, 3, type="before")
            await expect(page.get_by_text("before", exact=True)).to_have_count(3)
            # So long that it also tries events of the server, whose script cannot be loaded then.
            async with page.expect_event("requestfailed", lambda each: "/events-" in each.url):
                server.close()
            await expect(page.locator(".live-old")).to_be_visible()
            url = stack.enter_context(running(SERVE_COMMAND, folder, JOBLENS_PORT=port))
            await create(base, minted.text, 4, type="meanwhile")
            await expect(page.locator(".live-live")).to_be_visible()
            await expect(page.get_by_text("meanwhile", exact=True)).to_have_count(4)
            await create(base, minted.text, 2, type="afterwards")
            await expect(page.get_by_text("afterwards", exact=True)).to_have_count(2)
            await expect(page.get_by_text("before", exact=True)).to_have_count(3)
            await expect(page.get_by_text("meanwhile", exact=True)).to_have_count(4)


@pytest.mark.parametrize("path", ["jobs?q=status:failed", ""])
async def test_a_revoked_token_leads_to_the_form_and_back(
    browser: Browser, guarded: Guarded, path: str
) -> None:
    base = guarded.url.removesuffix("graphql")
    async with visiting_dashboard(browser, base, ("401", "WebSocket")) as page:
        await page.goto(base + path)
        await page.get_by_label("Token").fill(guarded.new_token())
        await page.get_by_role("button", name="Sign in").click()
        await settled(page)
        for line in guarded.joblens("token", "list").splitlines():
            if "works" in line:
                guarded.joblens("token", "revoke", line.split()[0])
        # The open connection is ended, and the page asks for another token.
        await expect(page.get_by_role("alert")).to_contain_text("was revoked")
        assert page.url == base + path
        await page.get_by_label("Token").fill(guarded.new_token())
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Jobs|Overview"))

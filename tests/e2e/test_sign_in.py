"""GraphiQL where a token is wanted: it asks, keeps it for the tab, and sends it everywhere."""

import json
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.e2e.conftest import Guarded, visiting
from tests.e2e.test_graphiql import LIVE, choose, editor, is_question, result, run

KEPT = "sessionStorage.getItem('joblens:token')"
# What a browser writes into its console of an answer that a test wants.
REFUSED = ("401",)


@pytest.fixture
async def visitor(browser: Browser, guarded: Guarded) -> AsyncIterator[Page]:
    async with visiting(browser, guarded.url, REFUSED) as page:
        yield page


async def sign_in(page: Page, token: str) -> None:
    await page.get_by_label("Token").fill(token)
    await page.get_by_role("button", name="Sign in").click()


def alert(page: Page) -> Locator:
    """Where the form tells what is wrong; the editor has alerts of its own."""
    return page.locator(".joblens-sign-in").get_by_role("alert")


async def ready(page: Page) -> None:
    """Wait until GraphiQL knows the schema."""
    await expect(editor(page)).to_be_visible()
    await expect(page.get_by_role("button", name="Re-fetch GraphQL schema")).to_be_enabled()


async def test_asks_before_it_asks_the_server(visitor: Page, guarded: Guarded) -> None:
    asked: list[str] = []
    visitor.on("request", lambda request: is_question(request) and asked.append(request.url))
    await visitor.goto(guarded.url)
    await expect(visitor.get_by_label("Token")).to_be_focused()
    assert asked == []


async def test_signs_in_with_a_token(visitor: Page, guarded: Guarded) -> None:
    token = guarded.new_token()
    await visitor.goto(guarded.url)
    await sign_in(visitor, token)
    await ready(visitor)
    async with visitor.expect_request(is_question) as asked:
        answer = await run(visitor)
    assert answer["data"]["jobs"]["nodes"] == []
    assert (await asked.value).headers["authorization"] == f"Bearer {token}"

    # For this tab alone, and there after a reload too.
    assert await visitor.evaluate(KEPT) == token
    kept = await visitor.evaluate("JSON.stringify(localStorage) + document.cookie")
    assert token not in kept
    await visitor.reload()
    await expect(editor(visitor)).to_be_visible()


async def test_watches_with_the_token(visitor: Page, guarded: Guarded) -> None:
    token = guarded.new_token()
    await visitor.goto(guarded.url)
    await sign_in(visitor, token)
    await ready(visitor)
    await choose(visitor, LIVE)
    frames: list[str] = []

    def note(frame: str) -> None:
        frames.append(frame)

    visitor.on("websocket", lambda socket: socket.on("framesent", note))
    await visitor.get_by_role("button", name="Execute query").click()
    await expect(result(visitor)).to_contain_text('"statusCounts"')
    assert json.loads(frames[0])["payload"] == {"Authorization": f"Bearer {token}"}


async def test_refuses_a_wrong_token(visitor: Page, guarded: Guarded) -> None:
    await visitor.goto(guarded.url)
    await sign_in(visitor, "jl_wrong")
    await expect(alert(visitor)).to_contain_text("does not take this token")
    assert await visitor.evaluate(KEPT) is None
    await sign_in(visitor, guarded.new_token())
    await expect(editor(visitor)).to_be_visible()


async def test_asks_again_once_the_token_is_revoked(visitor: Page, guarded: Guarded) -> None:
    await visitor.goto(guarded.url)
    await sign_in(visitor, guarded.new_token())
    await ready(visitor)
    for line in guarded.joblens("token", "list").splitlines():
        if "works" in line:
            guarded.joblens("token", "revoke", line.split()[0])
    # The process goes by what it knew for two seconds more.
    await visitor.wait_for_timeout(3_000)
    async with visitor.expect_response(lambda response: is_question(response.request)) as answer:
        await visitor.get_by_role("button", name="Execute query").click()
    assert (await answer.value).status == 401
    await expect(alert(visitor)).to_contain_text("was revoked")
    assert await visitor.evaluate(KEPT) is None


async def test_signs_out(visitor: Page, guarded: Guarded) -> None:
    await visitor.goto(guarded.url)
    await sign_in(visitor, guarded.new_token())
    await visitor.get_by_role("button", name="Sign out").click()
    await expect(visitor.get_by_label("Token")).to_be_visible()
    assert await visitor.evaluate(KEPT) is None

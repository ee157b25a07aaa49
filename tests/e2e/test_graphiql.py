"""GraphiQL as a visitor meets it: in a real browser, on the demo data."""

import json

import pytest
from playwright.async_api import Locator, Page, Request, expect

from tests.support.checkout import ROOT

EXAMPLES = ROOT / "frontend" / "src" / "graphiql" / "examples"
NAMES = [path.stem.split("-", 1)[1] for path in sorted(EXAMPLES.glob("*.graphql"))]
TITLES = [name.title().replace("-", "") for name in NAMES]
LIVE = "Live"


def is_question(request: Request) -> bool:
    return request.method == "POST" and request.url.endswith("/graphql")


def tabs(page: Page) -> Locator:
    return page.locator(".graphiql-tab-button")


def editor(page: Page) -> Locator:
    return page.get_by_role("region", name="Operation Editor").locator(".view-lines")


def result(page: Page) -> Locator:
    return page.get_by_role("region", name="Result Window").locator(".view-lines")


async def visit(page: Page, url: str) -> None:
    """Open the page and wait until it knows the schema."""
    async with page.expect_response(lambda response: is_question(response.request)):
        await page.goto(url)
    await expect(editor(page)).to_be_visible()
    await expect(page.get_by_role("button", name="Re-fetch GraphQL schema")).to_be_enabled()


async def choose(page: Page, title: str) -> None:
    """Turn to another tab and wait until GraphiQL has read its query, which it also stores then."""
    operation = f"{'subscription' if title == LIVE else 'query'} {title}"
    await tabs(page).get_by_text(title, exact=True).click()
    await page.wait_for_function(
        "operation => localStorage.getItem('graphiql:query')?.includes(operation)", arg=operation
    )
    await expect(editor(page)).to_contain_text(operation)


async def run(page: Page) -> dict:
    """Press the button, and return what the server answered."""
    async with page.expect_response(lambda response: is_question(response.request)) as answer:
        await page.get_by_role("button", name="Execute query").click()
    return await (await answer.value).json()


def has_empty_list(value: object) -> bool:
    if isinstance(value, dict):
        # A job that goes next has no reason to wait.
        return any(has_empty_list(each) for name, each in value.items() if name != "reasons")
    return isinstance(value, list) and (not value or any(map(has_empty_list, value)))


async def test_first_visit_shows_the_examples(page, demo_url):
    await visit(page, demo_url)

    await expect(page).to_have_title("Joblens")
    await expect(page.locator(".graphiql-logo")).to_have_text("Joblens")
    await expect(tabs(page)).to_have_text(TITLES)
    await expect(editor(page)).to_contain_text("query LastFailures")
    # Time for the workers to look the query over: what they find wrong is underlined.
    await page.wait_for_timeout(1000)
    await expect(page.locator(".squiggly-error, .squiggly-warning")).to_have_count(0)


async def test_runs_an_example_and_shows_its_result(page, demo_url):
    await visit(page, demo_url)

    answer = await run(page)

    newest = answer["data"]["jobs"]["nodes"][0]
    assert newest["status"] in {"FAILED", "DEAD_LETTER"}
    await expect(result(page)).to_contain_text(newest["id"])
    await expect(result(page)).to_contain_text(newest["lastErrorCode"])


@pytest.mark.parametrize("title", [title for title in TITLES if title != LIVE])
async def test_every_example_finds_something(page, demo_url, title):
    await visit(page, demo_url)
    await choose(page, title)

    answer = await run(page)

    assert "errors" not in answer
    assert not has_empty_list(answer["data"])
    await expect(result(page)).to_contain_text('"data"')


async def test_watches_live(page, demo_url):
    await visit(page, demo_url)
    await choose(page, LIVE)

    async with page.expect_websocket() as opened:
        await page.get_by_role("button", name="Execute query").click()
    socket = await opened.value

    assert socket.url == demo_url.replace("http:", "ws:")
    await expect(result(page)).to_contain_text('"statusCounts"')
    # It goes on until it is stopped.
    async with socket.expect_event("close"):
        await page.get_by_role("button", name="Stop query").click()


async def test_watches_the_organisation_that_the_headers_name(page, demo_url):
    await visit(page, demo_url)
    await choose(page, LIVE)
    await page.get_by_role("button", name="Headers", exact=True).click()
    await page.locator(".view-line", has_text='"Joblens-Org"').click()
    await page.keyboard.press("Control+/")  # the line is a comment until then
    frames: list[str] = []

    def note(frame: str) -> None:
        frames.append(frame)

    page.on("websocket", lambda socket: socket.on("framesent", note))
    await page.get_by_role("button", name="Execute query").click()

    await expect(result(page)).to_contain_text('"statusCounts"')
    assert json.loads(frames[0])["payload"]["Joblens-Org"].startswith("00000000-0000-")


async def test_completes_a_field_name(page, demo_url):
    await visit(page, demo_url)
    await page.get_by_role("button", name="New tab").click()
    await editor(page).click()
    await page.keyboard.type("{ jobs { nodes { lastErrorM")
    # Underlined as no field: by now the worker that suggests knows the schema.
    await expect(page.locator(".squiggly-error").first).to_be_visible()
    await page.keyboard.press("Control+Space")

    suggestion = page.locator(".suggest-widget .monaco-list-row", has_text="lastErrorMessage")
    await expect(suggestion).to_be_visible()
    await page.keyboard.press("Enter")

    await expect(editor(page)).to_contain_text("lastErrorMessage")


async def test_underlines_an_unknown_field(page, demo_url):
    await visit(page, demo_url)
    await page.get_by_role("button", name="New tab").click()
    await editor(page).click()
    await page.keyboard.type("{ jobbs ")

    await expect(page.locator(".squiggly-error").first).to_be_visible()


async def test_opens_the_docs(page, demo_url):
    await visit(page, demo_url)
    await page.get_by_role("button", name="Show Documentation Explorer").click()
    docs = page.locator(".graphiql-doc-explorer")

    await docs.get_by_role("link", name="Query", exact=True).click()

    await expect(docs).to_contain_text("statusCounts")
    await expect(docs).to_contain_text("jobGroups")


async def test_fetches_nothing_that_a_result_names(page, demo_url):
    await visit(page, demo_url)
    answer = {"data": {"image": "https://example.org/image.png"}}
    await page.route("**/graphql", lambda route: route.fulfill(json=answer))
    await run(page)

    # GraphiQL by itself would load the image half a second into hovering.
    await expect(result(page)).to_contain_text("image.png")
    await page.wait_for_timeout(500)
    await result(page).get_by_text("example.org").hover()
    await page.wait_for_timeout(2000)


async def test_names_an_organisation_only_when_asked_to(page, demo_url):
    await visit(page, demo_url)
    async with page.expect_request(is_question) as plain:
        await run(page)
    assert "joblens-org" not in (await plain.value).headers

    await page.get_by_role("button", name="Headers", exact=True).click()
    await page.locator(".view-line", has_text='"Joblens-Org"').click()
    await page.keyboard.press("Control+/")  # the line is a comment until then
    async with page.expect_request(is_question) as named:
        await run(page)
    assert (await named.value).headers["joblens-org"].startswith("00000000-0000-")


async def test_a_returning_visitor_keeps_their_tabs(page, demo_url):
    await visit(page, demo_url)
    await page.get_by_role("button", name="Close Tab").filter(visible=True).click()
    await expect(tabs(page)).to_have_text(TITLES[1:])
    await page.wait_for_function(
        "left => JSON.parse(localStorage.getItem('graphiql:tabState')).tabs.length === left",
        arg=len(TITLES) - 1,
    )

    await visit(page, demo_url)

    await expect(tabs(page)).to_have_text(TITLES[1:])


FOCUSES = {
    "nowhere": "document.activeElement.blur()",
    "a tab": "document.querySelector('.graphiql-tab-button').focus()",
    "the button that runs it": "document.querySelector('.graphiql-execute-button').focus()",
    "the query": "document.querySelector('.graphiql-query-editor textarea').focus()",
    "the answer": "document.querySelector('.result-window textarea').focus()",
    "the variables": "document.querySelector('.graphiql-editor-tool textarea').focus()",
}


@pytest.mark.parametrize("focus", FOCUSES)
async def test_ctrl_enter_runs_the_query_once(page, demo_url, focus):
    await visit(page, demo_url)
    asked: list[Request] = []
    page.on("request", lambda request: is_question(request) and asked.append(request))
    await page.evaluate(FOCUSES[focus])

    await page.keyboard.press("Control+Enter")

    await expect(result(page)).to_contain_text('"lastErrorCode"')
    # Time for a second one, which there is not to be.
    await page.wait_for_timeout(300)
    assert len(asked) == 1

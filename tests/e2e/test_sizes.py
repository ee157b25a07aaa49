"""GraphiQL on screens of several widths: all of it can be read and reached."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.conftest import Guarded, visiting
from tests.e2e.test_graphiql import TITLES, editor, is_question, result, tabs, visit
from tests.e2e.test_sign_in import ready, sign_in

SIZES = {320: 640, 390: 844, 768: 1024, 1280: 800}
SIDEBAR = (
    "Show Documentation Explorer",
    "Show History",
    "Re-fetch GraphQL schema",
    "Open short keys dialog",
    "Open settings dialog",
)
READABLE_PIXELS = 200
OVERFLOW = "document.documentElement.scrollWidth - window.innerWidth"


@pytest.fixture(params=SIZES)
async def width(request: pytest.FixtureRequest, page: Page) -> int:
    """The width that the page of this test has from its beginning."""
    await page.set_viewport_size({"width": request.param, "height": SIZES[request.param]})
    return int(request.param)


async def reach(page: Page, name: str) -> None:
    """Fail unless a click would arrive at this button, the whole of it on the screen."""
    button = page.get_by_role("button", name=name)
    await button.click(trial=True)
    await expect(button).to_be_in_viewport(ratio=1)


async def run_here(page: Page) -> None:
    async with page.expect_response(lambda response: is_question(response.request)):
        await page.get_by_role("button", name="Execute query").click()


async def test_an_answer_can_be_read(page: Page, demo_url: str, width: int) -> None:
    await visit(page, demo_url)
    await run_here(page)
    line = result(page).locator(".view-line", has_text='"nodes": [')
    await expect(line).to_be_visible()
    for region in (editor(page), result(page)):
        box = await region.bounding_box()
        assert box is not None
        assert box["width"] >= READABLE_PIXELS
    assert await page.evaluate(OVERFLOW) <= 0


async def test_every_button_can_be_reached(page: Page, demo_url: str, width: int) -> None:
    await visit(page, demo_url)
    for name in (*SIDEBAR, "New tab", "Execute query", "Variables", "Headers"):
        await reach(page, name)


async def test_a_new_tab_is_in_view(page: Page, demo_url: str, width: int) -> None:
    await visit(page, demo_url)
    for count in range(len(TITLES) + 1, len(TITLES) + 4):
        await page.get_by_role("button", name="New tab").click()
        await expect(tabs(page)).to_have_count(count)
        tab = page.locator(".graphiql-tab-active .graphiql-tab-button")
        await expect(tab).to_have_text("<untitled>")
        await page.wait_for_function(TAB_IN_VIEW)
        await reach(page, "New tab")


# Between the bar's ends, as far as whole pixels tell.
TAB_IN_VIEW = """() => {
  const tab = document.querySelector('.graphiql-tab-active').getBoundingClientRect();
  const bar = document.querySelector('.graphiql-tabs').getBoundingClientRect();
  return tab.left >= bar.left - 1 && tab.right <= bar.right + 1;
}"""


async def test_docs_open_and_close(page: Page, demo_url: str, width: int) -> None:
    await visit(page, demo_url)
    await page.get_by_role("button", name="Show Documentation Explorer").click()
    docs = page.locator(".graphiql-doc-explorer")
    await docs.get_by_role("link", name="Query", exact=True).click()
    await expect(docs).to_contain_text("statusCounts")
    await page.wait_for_function(TAB_IN_VIEW)
    assert await page.evaluate(OVERFLOW) <= 0
    await page.get_by_role("button", name="Hide Documentation Explorer").click()
    await reach(page, "Execute query")
    await editor(page).click()


async def test_variables_can_be_given(page: Page, demo_url: str, width: int) -> None:
    await visit(page, demo_url)
    await page.get_by_role("button", name="New tab").click()
    await page.get_by_role("button", name="Variables", exact=True).click()
    variables = page.locator(".graphiql-editor-tool .graphiql-editor:not(.hidden) .view-lines")
    await variables.click()
    await page.keyboard.type('{"first": 1')
    await expect(variables).to_contain_text('"first"')
    # The editor clips a part of a pixel where it begins between two.
    await expect(variables.locator(".view-line").first).to_be_in_viewport(ratio=0.95)


@pytest.mark.parametrize("width_of_it", SIZES)
async def test_sign_out_can_be_reached(
    browser: Browser, guarded: Guarded, width_of_it: int
) -> None:
    async with visiting(browser, guarded.url) as page:
        await page.set_viewport_size({"width": width_of_it, "height": SIZES[width_of_it]})
        await page.goto(guarded.url)
        await expect(page.get_by_role("button", name="Sign in")).to_be_in_viewport(ratio=1)
        await sign_in(page, guarded.new_token())
        await ready(page)
        await reach(page, "Sign out")
        await reach(page, "New tab")
        assert await page.evaluate(OVERFLOW) <= 0

"""The page under its Content-Security-Policy: all it does is allowed, and nothing else is."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.test_graphiql import LIVE, choose, editor, result, run, visit

NOTE_VIOLATIONS = """
window.violations = [];
document.addEventListener('securitypolicyviolation', (event) => {
  window.violations.push(`${event.effectiveDirective}: ${event.blockedURI}`);
});
"""
INTRUDERS = {
    "an inline script": (
        "const s = document.createElement('script'); s.textContent = 'window.intruded = true';"
        "document.head.append(s)",
        "script-src-elem: inline",
    ),
    "a script of another host": (
        "const s = document.createElement('script'); s.src = 'http://127.0.0.1:9/x.js';"
        "document.head.append(s)",
        "script-src-elem: http://127.0.0.1:9/x.js",
    ),
    "a handler in an attribute": (
        "document.body.insertAdjacentHTML('beforeend', '<img src=\"data:,\" onerror=\"window.intruded = true\">')",
        "script-src-attr: inline",
    ),
    "a style in markup": (
        "document.body.insertAdjacentHTML('beforeend', '<style>body { color: red }</style>')",
        "style-src-elem: inline",
    ),
    "an image of another host": (
        "document.body.insertAdjacentHTML('beforeend', '<img src=\"http://127.0.0.1:9/x.png\">')",
        "img-src: http://127.0.0.1:9/x.png",
    ),
    "a question to another host": (
        "fetch('http://127.0.0.1:9/').catch(() => {})",
        "connect-src: http://127.0.0.1:9/",
    ),
}


@pytest.fixture
async def watched(browser: Browser, demo_url: str) -> AsyncIterator[Page]:
    """The page, with its violations noted; a context of its own, for there are to be some."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    await context.add_init_script(NOTE_VIOLATIONS)
    page = await context.new_page()
    await visit(page, demo_url)
    yield page
    await context.close()


async def test_all_that_the_page_does_is_allowed(watched: Page) -> None:
    console: list[str] = []
    watched.on("console", lambda message: console.append(message.text))
    await run(watched)
    await expect(result(watched)).to_contain_text('"data"')
    await watched.get_by_role("button", name="Show Documentation Explorer").click()
    await watched.get_by_role("button", name="Show History").click()
    await watched.get_by_role("button", name="Open settings dialog").click()
    await watched.keyboard.press("Escape")
    await editor(watched).get_by_text("jobs").first.hover()
    await watched.get_by_role("button", name="Headers", exact=True).click()
    await choose(watched, LIVE)
    await watched.get_by_role("button", name="Execute query").click()
    await expect(result(watched)).to_contain_text('"statusCounts"')
    await watched.get_by_role("button", name="Stop query").click()
    await watched.get_by_role("button", name="New tab").click()
    await editor(watched).click()
    await watched.keyboard.type("{ jobs { nodes { lastErrorM")
    await expect(watched.locator(".squiggly-error").first).to_be_visible()
    await watched.keyboard.press("Control+Space")
    await expect(watched.locator(".suggest-widget .monaco-list-row").first).to_be_visible()

    assert await watched.evaluate("window.violations") == []
    assert [text for text in console if "Content Security Policy" in text] == []


@pytest.mark.parametrize("name", INTRUDERS)
async def test_nothing_else_is(watched: Page, name: str) -> None:
    script, violation = INTRUDERS[name]
    await watched.evaluate(f"() => {{ {script} }}")
    await watched.wait_for_function("window.violations.length > 0")
    assert await watched.evaluate("window.violations") == [violation]
    assert await watched.evaluate("window.intruded") is None


async def test_no_page_may_frame_it(browser: Browser, demo_url: str) -> None:
    context = await browser.new_context()
    page = await context.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    await page.set_content(f'<iframe src="{demo_url}"></iframe>')
    await page.wait_for_function("document.querySelector('iframe').contentDocument === null")
    frame = page.frames[1]
    assert not frame.url.startswith(demo_url)
    await context.close()
    assert any("frame" in text.lower() for text in refused)

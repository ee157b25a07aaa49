"""The dashboard under its Content-Security-Policy: what is not its own does not get in.

That all it does itself is allowed is asserted at the end of every visit.
"""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page

from tests.e2e.dashboard.visits import settled

NOTE_VIOLATIONS = """
window.violations = [];
document.addEventListener('securitypolicyviolation', (event) => {
  window.violations.push(`${event.effectiveDirective}: ${event.blockedURI}`);
});
"""
# `wait_for_function` would evaluate text, which the policy forbids, once it has to wait.
VIOLATIONS = """() => new Promise((resolve) => {
  const look = () => (violations.length > 0 ? resolve(violations) : setTimeout(look, 10));
  look();
})"""
ELSEWHERE = "http://127.0.0.1:9"
TRUSTED = "require-trusted-types-for: trusted-types-sink"
INTRUDERS = {
    "an inline script": (
        "const s = document.createElement('script'); s.textContent = 'window.intruded = true';"
        "document.head.append(s)",
        TRUSTED,
    ),
    "an inline script of a text node": (
        "const s = document.createElement('script');"
        "s.append(document.createTextNode('window.intruded = true')); document.head.append(s)",
        TRUSTED,
    ),
    "a script of another host": (
        f"const s = document.createElement('script'); s.src = '{ELSEWHERE}/x.js';"
        "document.head.append(s)",
        TRUSTED,
    ),
    "a module of another host": (
        f"import('{ELSEWHERE}/x.js').catch(() => {{}})",
        f"script-src-elem: {ELSEWHERE}/x.js",
    ),
    "markup of text": (
        "document.body.insertAdjacentHTML('beforeend', '<b>intruded</b>')",
        TRUSTED,
    ),
    "a handler in an attribute": (
        "document.body.setAttribute('onclick', 'window.intruded = true'); document.body.click()",
        TRUSTED,
    ),
    "code of text": ("eval('window.intruded = true')", TRUSTED),
    "a policy of trusted types": (
        "trustedTypes.createPolicy('intruder', { createHTML: (text) => text })",
        "trusted-types: trusted-types-policy",
    ),
    "a style element": (
        "const s = document.createElement('style'); s.textContent = 'body { color: red }';"
        "document.head.append(s)",
        "style-src-elem: inline",
    ),
    "a style attribute": (
        "document.body.setAttribute('style', 'color: red')",
        "style-src-attr: inline",
    ),
    "an image of another host": (
        f"new Image().src = '{ELSEWHERE}/x.png'",
        f"img-src: {ELSEWHERE}/x.png",
    ),
    "an image in a URL": ("new Image().src = 'data:image/png;base64,AAAA'", "img-src: data"),
    "a font of another host": (
        f"new FontFace('x', 'url({ELSEWHERE}/x.woff2)').load().catch(() => {{}})",
        f"font-src: {ELSEWHERE}/x.woff2",
    ),
    "a request to another host": (
        f"fetch('{ELSEWHERE}/').catch(() => {{}})",
        f"connect-src: {ELSEWHERE}/",
    ),
    "a WebSocket to another host": (
        f"new WebSocket('{ELSEWHERE.replace('http', 'ws')}/')",
        f"connect-src: {ELSEWHERE.replace('http', 'ws')}/",
    ),
    "a frame": (
        "const f = document.createElement('iframe'); f.src = '/graphql'; document.body.append(f)",
        "frame-src: {own}/graphql",
    ),
    "a base for relative URLs": (
        f"const b = document.createElement('base'); b.href = '{ELSEWHERE}/';"
        "document.head.append(b); document.baseURI",
        f"base-uri: {ELSEWHERE}/",
    ),
    "a form": (
        f"const f = document.createElement('form'); f.action = '{ELSEWHERE}/';"
        "document.body.append(f); f.submit()",
        f"form-action: {ELSEWHERE}/?",
    ),
}


@pytest.fixture
async def watched(browser: Browser, still_url: str) -> AsyncIterator[Page]:
    """The page, with its violations noted; a context of its own, for there are to be some."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    await context.add_init_script(NOTE_VIOLATIONS)
    page = await context.new_page()
    await page.goto(still_url)
    await settled(page)
    yield page
    await context.close()


@pytest.mark.parametrize("name", INTRUDERS)
async def test_nothing_else_is(watched: Page, still_url: str, name: str) -> None:
    script, violation = INTRUDERS[name]
    # In a task of its own: what the browser's tools run may do more than scripts of the page.
    await watched.evaluate(f"() => {{ setTimeout(() => {{ {script} }}) }}")
    found = await watched.evaluate(VIOLATIONS)
    assert found == [violation.replace("{own}/", still_url)]
    assert await watched.evaluate("window.intruded") is None


async def test_no_page_may_frame_it(browser: Browser, still_url: str) -> None:
    context = await browser.new_context()
    page = await context.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    await page.set_content(f'<iframe src="{still_url}"></iframe>')
    await page.wait_for_function("document.querySelector('iframe').contentDocument === null")
    frame = page.frames[1]
    assert not frame.url.startswith(still_url)
    await context.close()
    assert any("frame" in text.lower() for text in refused)

"""A visit to the dashboard, in which only what the dashboard may do is done."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, Page, Request, WebSocket, expect

from server.built_dashboard import read_documents
from tests.e2e.conftest import visiting

NOTE_VIOLATIONS = """
document.addEventListener('securitypolicyviolation', (event) => {
  window.joblensViolation(`${event.effectiveDirective}: ${event.blockedURI}`);
});
"""
# What the form sends to try a token, before there is anything of the dashboard.
SIGN_IN = {"query": "{ viewer { subject } }"}


@cache
def _ids() -> frozenset[str]:
    return frozenset(f"sha256:{hashed}" for hashed in read_documents())


class _Watch:
    """Notes what a page must not do."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.found: list[str] = []

    def violation(self, text: str) -> None:
        self.found.append(f"violation of the policy: {text}")

    def request(self, request: Request) -> None:
        url = urlsplit(request.url)._replace(query="", fragment="").geturl()
        if url == f"{self.base_url}graphql":
            if request.method == "POST":
                self._operation(json.loads(request.post_data or "{}"))
            elif not request.is_navigation_request():
                self.found.append(f"{request.method} of the API")
        elif not (
            request.is_navigation_request() or url.startswith(f"{self.base_url}assets/dashboard/")
        ):
            self.found.append(f"request for neither the API nor an asset: {request.url}")

    def websocket(self, socket: WebSocket) -> None:
        own = self.base_url.replace("http", "ws", 1)
        if socket.url != f"{own}graphql":
            self.found.append(f"WebSocket {socket.url}")
        socket.on("framesent", self._frame)

    def _frame(self, frame: str | bytes) -> None:
        message = json.loads(frame)
        if message["type"] == "subscribe":
            self._operation(message["payload"])

    def _operation(self, body: dict[str, Any]) -> None:
        if body != SIGN_IN and (body.get("query") or body.get("documentId") not in _ids()):
            self.found.append(f"an operation that is not in documents.json: {body}")


@asynccontextmanager
async def visiting_dashboard(
    browser: Browser, base_url: str, expected: tuple[str, ...] = (), **options: Any
) -> AsyncIterator[Page]:
    """Open a page for the dashboard at this URL, which has a slash at its end.

    At the end it fails if anything was written to the console, requested from another host, failed,
    or forbidden by the policy, unless it has one of `expected` in it; or if the page sent anything
    but registered documents to the API, or requested anything but its own files. Pages that it
    opens in other tabs may be of GraphiQL.

    `options`: of the browser's context, such as `color_scheme`.
    """
    watch = _Watch(base_url)
    async with visiting(browser, base_url, expected, **options) as page:
        await page.context.expose_function("joblensViolation", watch.violation)
        await page.context.add_init_script(NOTE_VIOLATIONS)
        page.on("request", watch.request)
        page.on("websocket", watch.websocket)
        yield page
    found = [each for each in watch.found if not any(words in each for words in expected)]
    assert not found, "\n".join(found)


async def settled(page: Page) -> None:
    """Wait until the page has its heading, and nothing of it is still being loaded."""
    await expect(page.locator("h1")).to_be_visible()
    await expect(page.locator(".loading")).to_have_count(0)
    # What is dimmed is about to be replaced.
    await expect(page.locator(".is-old")).to_have_count(0)

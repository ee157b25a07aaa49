"""The tasks of a page's main thread, as the browser traces them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson
from playwright.async_api import Page

# Chromium's categories of what a thread runs: tasks, and nothing inside of them.
_CATEGORIES = ["toplevel"]
_MAIN_THREAD = "CrRendererMain"


@dataclass(slots=True)
class Tasks:
    """The longest tasks in milliseconds: by the clock, and by the time that the thread ran.

    The two differ by the time in which the machine ran something else.
    """

    longest: float = 0.0
    longest_run: float = 0.0


@asynccontextmanager
async def tasks_of(page: Page) -> AsyncIterator[Tasks]:
    """Trace the page meanwhile; what is yielded is known at the end."""
    found = Tasks()
    browser = page.context.browser
    assert browser is not None
    await browser.start_tracing(page=page, categories=_CATEGORIES)
    yield found
    events = orjson.loads(await browser.stop_tracing())["traceEvents"]
    is_of_page = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == _MAIN_THREAD
    }
    for event in events:
        if event.get("ph") == "X" and (event["pid"], event["tid"]) in is_of_page:
            found.longest = max(found.longest, event["dur"] / 1_000)
            found.longest_run = max(found.longest_run, event.get("tdur", 0) / 1_000)

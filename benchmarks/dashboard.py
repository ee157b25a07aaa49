"""The dashboard in a real browser: its size, its first paint, its rows, scrolling, live, at rest.

`python -m benchmarks.dashboard [--data DIR] [--events N] [--write FILE]`. It shows the
ledger of ten million jobs that `benchmarks.scale` makes, which takes minutes the first time.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import TypeAlias
from urllib.parse import urlencode
from uuid import uuid4

import httpx
from playwright.async_api import Browser, Page, async_playwright

from benchmarks import dashboard_sizes, report, scale_now
from benchmarks.dashboard_page import (
    TREE,
    Frames,
    Painted,
    Seen,
    heap_bytes,
    measure_events,
    measure_paint,
    measure_payload,
    measure_rows,
    measure_scroll,
)
from benchmarks.dashboard_writer import TYPE, create_jobs, large_job, write_events, write_turns
from benchmarks.scale_data import LARGE
from benchmarks.scale_ledger import DATA_DIR, ledger_at
from benchmarks.servers import JOBLENS, serving
from joblens import NewJob
from tests.e2e.conftest import BROWSER_ARGUMENTS, find_browser
from tests.e2e.dashboard.visits import settled

ROUNDS = 5
RATE, SECONDS = 200, 20
REST_SECONDS = 60
# For the metrics.
TOKEN = "benchmark-benchmark"
ROWS_IN_VIEW = 24
# Found in all parts of the payload, and in none.
TEXTS = ("customer", "nowhere")

Row: TypeAlias = tuple[str, str, str]

PAGE = """\
# Benchmarks of the dashboard

A browser without a screen shows the organisation with ten million jobs. Browser, server and \
PostgreSQL share the machine. Measured by one command:

    {command}

{facts}

Before it began, the load average of the machine was {load:.1f}: what else runs makes times \
longer. A task's time by the clock has the time in which its thread waits for a core; the \
thread's own time does not. The first contentful paint is that of the header, which needs no \
script. Each view ends what it began before the next one is opened.

| | bar | measured |
|---|--:|--:|
{rows}
"""


@asynccontextmanager
async def _page(browser: Browser, base: str) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    await context.add_init_script(f"sessionStorage.setItem('joblens:org', '{LARGE}')")
    page = await context.new_page()
    await page.goto(f"{base}settings")
    yield page
    await context.close()


async def _paints(browser: Browser, base: str) -> tuple[Painted, Painted]:
    """Measure the medians of first views, without and with what the browser keeps."""
    cold, warm = [], []
    for _ in range(ROUNDS):
        context = await browser.new_context(viewport={"width": 1440, "height": 900})
        await context.add_init_script(f"sessionStorage.setItem('joblens:org', '{LARGE}')")
        page = await context.new_page()
        cold.append(await measure_paint(page, base))
        warm.append(await measure_paint(page, base))
        await context.close()
    return Painted(median(cold)), Painted(median(warm))


async def _payload(browser: Browser, base: str, url: str) -> list[Row]:
    (job,) = await create_jobs(url, LARGE, [large_job()])
    shown, found = [], []
    async with _page(browser, base) as page:
        await page.add_init_script(TREE)
        for text in TEXTS * ROUNDS:
            of_tree, of_text = await measure_payload(page, f"{base}jobs/{job}", text)
            shown.append(of_tree)
            found.append((text, of_text))
    slowest = max(median(each for key, each in found if key == text) for text in TEXTS)
    return [
        ("payload of 256 KiB, from its answer to its tree", "100 ms", f"{median(shown):.0f} ms"),
        ("find in it", "100 ms", f"{slowest:.0f} ms"),
    ]


async def _list(browser: Browser, base: str, url: str) -> list[Row]:
    """Watch rows that change, with the pointer on them, while others wait to be shown."""
    new = NewJob(TYPE, queue="benchmark", batch=f"benchmark {uuid4()}")
    ids = await create_jobs(url, LARGE, [new] * ROWS_IN_VIEW)
    async with _page(browser, base) as page:
        query = urlencode({"q": f'batch:"{new.batch}"', "cols": "status,type,attempt,updated"})
        await page.goto(f"{base}jobs?{query}")
        await page.locator(".live-live").wait_for()
        await page.locator("tr[data-id]").first.hover()
        await settled(page)
        async with write_turns(url, LARGE, RATE, new, ids):
            await page.locator(".arrivals-button").wait_for()
            seen = await measure_events(page, "tr[data-id] time", SECONDS)
    return _rows_of("the list", seen)


def _rows_of(view: str, seen: Seen) -> list[Row]:
    return [
        (
            f"{view} at {RATE} events a second: longest task",
            "50 ms",
            f"{seen.tasks.longest:.0f} ms",
        ),
        ("the longest, by the thread's own time", "", f"{seen.tasks.longest_run:.0f} ms"),
        ("main thread, of the time", "25 %", f"{seen.busy:.0%}"),
        ("event to paint, p95", "350 ms", f"{seen.paint_p95:.0f} ms"),
    ]


async def _live(browser: Browser, base: str, url: str, events: int) -> list[Row]:
    async with _page(browser, base) as page:
        await page.goto(base)
        await page.locator(".live-live").wait_for()
        await page.locator(".events li").first.wait_for()
        async with write_events(url, LARGE, RATE):
            seen = await measure_events(page, ".events li time", SECONDS)
        before = await heap_bytes(page)
        async with write_events(url, LARGE, 0, at_most=events) as writing:
            await writing
        await asyncio.sleep(5)
        growth = await heap_bytes(page) - before
    return [
        *_rows_of("the overview", seen),
        (f"heap after {events:,} events", "+20 MB", f"{growth / 1e6:+.1f} MB"),
    ]


async def _rest(browser: Browser, base: str) -> Row:
    async with _page(browser, base) as page:
        await page.goto(base)
        await page.locator(".live-live").wait_for()
        await asyncio.sleep(5)
        requests = 0

        def count(_: object) -> None:
            nonlocal requests
            requests += 1

        page.on("request", count)
        before = await _statements(base)
        await asyncio.sleep(REST_SECONDS)
        taken = await _statements(base) - before
    name = "statements a minute, the overview at rest (requests)"
    return name, "30", f"{taken * 60 / REST_SECONDS:.0f} ({requests})"


async def _statements(base: str) -> float:
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        text = (await client.get(f"{base}metrics")).text
    counted = (line for line in text.splitlines() if line.startswith("joblens_statements_total{"))
    return sum(float(line.split()[-1]) for line in counted)


async def _measured(options: argparse.Namespace, url: str) -> list[Row]:
    rows = dashboard_sizes.table()
    async with (
        serving(JOBLENS, url, tally_interval_seconds="0", metrics_token=TOKEN) as server,
        async_playwright() as playwright,
    ):
        base = f"http://127.0.0.1:{server.port}/"
        browser = await playwright.chromium.launch(
            executable_path=find_browser(), args=list(BROWSER_ARGUMENTS)
        )
        cold, warm = await _paints(browser, base)
        rows += [
            ("first contentful paint, cold", "400 ms", f"{cold:.0f} ms"),
            ("first contentful paint, warm", "150 ms", f"{warm:.0f} ms"),
        ]
        async with _page(browser, base) as page:
            taken = [await measure_rows(page, base) for _ in range(ROUNDS)]
            frames: Frames = await measure_scroll(page, base, options.rows)
        rows += [
            ("rows of the list after the navigation", "500 ms", f"{median(taken):.0f} ms"),
            (f"rows in the document, of {frames.loaded:,}", "60", f"{frames.in_document}"),
            ("frame while scrolling, p95", "30 ms", f"{frames.p95:.0f} ms"),
            ("longest frame while scrolling", "50 ms", f"{frames.longest:.0f} ms"),
            (
                "longest task meanwhile, by the thread's own time",
                "",
                f"{frames.tasks.longest_run:.0f} ms",
            ),
            ("heap with them", "80 MB", f"{frames.heap / 1e6:.0f} MB"),
        ]
        rows += await _payload(browser, base, url)
        rows.append(await _rest(browser, base))
        rows += await _list(browser, base, url)
        # What was measured is not lost if the longest measurement fails.
        print(*rows, sep="\n", file=sys.stderr, flush=True)
        rows += await _live(browser, base, url, options.events)
        await browser.close()
    return rows


async def _run(options: argparse.Namespace) -> None:
    load = os.getloadavg()[0]
    async with ledger_at(options.data) as url:
        await scale_now.relive(url)
        rows = await _measured(options, url)
        facts = await report.facts(url)
    command = report.command("benchmarks.dashboard")
    table = "\n".join(f"| {name} | {bar} | {figure} |" for name, bar, figure in rows)
    page = PAGE.format(command=command, facts=facts, load=load, rows=table)
    if options.write:
        options.write.write_text(page)
    print(page)


def main() -> None:
    """Measure, and print a page with the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dashboard", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA_DIR, help="where the ledger is kept")
    parser.add_argument("--rows", type=int, default=10_000, help="rows to load and scroll through")
    parser.add_argument("--events", type=int, default=100_000, help="events of the long run")
    parser.add_argument("--write", type=Path, help="a file for the page")
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()

"""Takes the docs' pictures of a demo that is being served, in both themes, at twice the size.

`joblens demo --still --fresh`, and at once, while its last events are recent,
`python -m docs.screenshot http://127.0.0.1:8000/`. Names after the URL choose pictures. With
`--token`, the URL is that of a `joblens serve` that asks for tokens, over the same database. Needs
Chromium.
"""

import argparse
import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from playwright.async_api import Browser, Locator, Page, async_playwright

from tests.e2e.conftest import find_browser

IMAGES = Path(__file__).parent / "images"
THEMES = ("light", "dark")
WIDE = (1280, 800)
WIDER = (1440, 900)
PHONE = (390, 844)
# Of what is not quite as it was drawn, the eye sees nothing.
QUALITY = 82
# Jobs of the sample data have the same ids on every machine.
FAILED_JOB = "eabfb368-15b1-4d83-b431-bc551085bf65"
WEBHOOK_JOB = "6544cada-9b15-4a32-9f57-df11734bf5c1"
WAITING_JOB = "6e6ff3bf-131b-46d6-a878-ce89272fe6d2"
FAILURES = "jobs?q=status:failed,dead+-type:webhook.*+created:-24h"
OUT_OF_MEMORY = "jobs?q=status:failed,dead+error:OOM_KILLED"

Steps = Callable[[Page], Awaitable[None]]


async def _nothing(_page: Page) -> None:
    """Take the page as it opens."""


async def _until_health_is_known(page: Page) -> None:
    """Wait: a server judges jobs some seconds after its start."""
    while not await page.get_by_text("Stuck", exact=True).count():
        await page.reload()
        await _settle(page)


def _row(page: Page, number: int) -> Locator:
    return page.locator("tr[data-id]").nth(number).get_by_role("checkbox")


async def _select_some(page: Page) -> None:
    for number in (0, 1, 2):
        await _row(page, number).check()


async def _ask_to_retry_all(page: Page) -> None:
    await _row(page, 0).check()
    await page.get_by_role("button", name="Select all that match").click()
    bar = page.get_by_role("region", name="Selected")
    await bar.get_by_role("button", name="Retry", exact=True).click()
    await page.get_by_role("dialog").get_by_label("Reason").fill("more memory since 2.4")


async def _open_in_graphiql(page: Page) -> None:
    await page.get_by_role("button", name="Query of “Errors”").click()
    link = page.get_by_role("dialog").get_by_role("link", name="Open in GraphiQL")
    await page.goto(str(await link.get_attribute("href")))
    # It runs what it has read, and knows the schema of.
    editor = page.get_by_role("region", name="Operation Editor").locator(".view-lines").first
    await editor.filter(has_text="errorGroups").wait_for()
    await page.get_by_role("button", name="Re-fetch GraphQL schema").wait_for()
    await page.wait_for_timeout(2_000)
    await page.get_by_role("button", name="Execute query").click()
    shown = page.get_by_role("region", name="Result Window").locator(".view-lines")
    await shown.filter(has_text="data").wait_for()


@dataclass(frozen=True, slots=True)
class Picture:
    """What to do at a path before the picture is taken."""

    path: str
    steps: Steps = _nothing
    size: tuple[int, int] = WIDE


# What a viewer sees that is no administrator.
GUARDED = {"redacted": Picture(f"jobs/{WEBHOOK_JOB}", size=WIDER)}
PICTURES = {
    "overview": Picture("", _until_health_is_known),
    "jobs": Picture(FAILURES, _select_some, WIDER),
    "failed-job": Picture(f"jobs/{FAILED_JOB}"),
    "waiting-job": Picture(f"jobs/{WAITING_JOB}"),
    "errors": Picture("errors"),
    "queues": Picture("queues"),
    "type": Picture("types/email.send"),
    "bulk": Picture(OUT_OF_MEMORY, _ask_to_retry_all),
    "phone": Picture(f"jobs/{FAILED_JOB}", size=PHONE),
    "graphiql": Picture("", _open_in_graphiql),
}


@dataclass(frozen=True, slots=True)
class Server:
    """Where pictures are taken, with the token that it asks for, and what time is shown."""

    url: str
    token: str | None
    now: datetime

    @property
    def pictures(self) -> dict[str, Picture]:
        """What there is to take."""
        return PICTURES if self.token is None else GUARDED


async def take(browser: Browser, server: Server, name: str, theme: str) -> None:
    """Take a picture in a theme."""
    picture = server.pictures[name]
    width, height = picture.size
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=2,
        color_scheme="dark" if theme == "dark" else "light",
        locale="en",
        timezone_id="UTC",
    )
    if server.token is not None:
        await context.add_init_script(f"sessionStorage.setItem('joblens:token', '{server.token}')")
    page = await context.new_page()
    await page.clock.set_fixed_time(server.now)
    await page.goto(server.url + picture.path)
    await _settle(page)
    await picture.steps(page)
    await _settle(page)
    session = await context.new_cdp_session(page)
    shot = await session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    (IMAGES / f"{name}-{theme}.webp").write_bytes(base64.b64decode(shot["data"]))
    await context.close()


async def _settle(page: Page) -> None:
    """Wait until nothing is being loaded, and what moves has come to rest."""
    # Room for a scrollbar, of which pictures have none.
    await page.evaluate("document.documentElement.style.scrollbarGutter = 'auto'")
    await page.wait_for_timeout(500)
    for part in await page.locator(".loading").all():
        await part.wait_for(state="detached")
    await page.wait_for_timeout(1_000)


async def take_all(server: Server, names: list[str]) -> None:
    """Take the pictures with these names, or all."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find_browser(), args=["--no-sandbox", "--disable-gpu"]
        )
        for name in names or server.pictures:
            for theme in THEMES:
                await take(browser, server, name, theme)
        await browser.close()


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(prog="python -m docs.screenshot", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--token")
    given = parser.parse_args()
    server = Server(given.url.rstrip("/") + "/", given.token, datetime.now(UTC))
    asyncio.run(take_all(server, given.names))


if __name__ == "__main__":
    main()

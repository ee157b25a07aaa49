"""Takes the README's picture: GraphiQL, with an example run on a demo that is being served.

`python -m docs.screenshot http://127.0.0.1:8000/graphql`. Needs Chromium.
"""

import asyncio
import shutil
import sys
from pathlib import Path

from playwright.async_api import async_playwright

PICTURE = Path(__file__).parent / "images" / "graphiql.png"


async def take(url: str) -> None:
    """Run the first example at this URL and write the picture."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page(viewport={"width": 1280, "height": 760}, color_scheme="light")
        await page.goto(url)
        # It runs what it knows the schema of.
        await page.get_by_role("button", name="Re-fetch GraphQL schema").wait_for()
        await page.wait_for_timeout(2_000)
        await page.get_by_role("button", name="Execute query").click()
        shown = page.get_by_role("region", name="Result Window").locator(".view-lines")
        await shown.filter(has_text="data").wait_for()
        await page.wait_for_timeout(1_000)
        await page.screenshot(path=PICTURE)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(take(sys.argv[1]))

"""A Joblens server with its demo data, and a browser that may reach nothing else."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, Request, Response, async_playwright

ROOT = Path(__file__).parents[2]
# Still: the examples are compared with what the server answers a moment later.
DEMO_COMMAND = (sys.executable, "-m", "server.cli", "demo", "--still")
START_SECONDS = 120
STOP_SECONDS = 60

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)


def announced_url(server: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until the server has told its GraphQL URL."""
    for _ in range(START_SECONDS * 10):
        # A URL counts once its line is complete.
        match = re.search(r"http://127\.0\.0\.1:\d+/graphql(?=\s)", log.read_text())
        if match:
            return match.group()
        if server.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(f"{' '.join(DEMO_COMMAND)} told no URL; it wrote:\n{log.read_text()}")


def stop(server: subprocess.Popen[bytes]) -> None:
    """Stop the server as Ctrl-C does, and see that this is enough."""
    if server.poll() is not None:
        return
    server.send_signal(signal.SIGINT)
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
        raise


@pytest.fixture(scope="session")
def demo_url() -> Iterator[str]:
    """The GraphQL URL of `joblens demo`, run as a process of its own on new data."""
    # A short path: a Unix socket's may have no more than about a hundred bytes.
    folder = Path(tempfile.mkdtemp(prefix="joblens-e2e-"))
    log = folder / "demo.log"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("JOBLENS_")}
    environment |= {
        "JOBLENS_PORT": "0",
        "JOBLENS_DATA_DIR": str(folder / "data"),
        "PYTHONUNBUFFERED": "1",
    }
    with log.open("wb") as output:
        server = subprocess.Popen(
            DEMO_COMMAND, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield announced_url(server, log)
    finally:
        stop(server)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        pytest.fail("these tests need Chromium: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable, args=list(BROWSER_ARGUMENTS)
        )
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser, demo_url: str) -> AsyncIterator[Page]:
    """A page of a first-time visitor. Whatever goes wrong in it fails the test at its end."""
    troubles: list[str] = []
    own_host = urlsplit(demo_url).netloc

    def on_console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            troubles.append(f"console {message.type}: {message.text}")

    def on_request(request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme not in {"data", "blob"} and url.netloc != own_host:
            troubles.append(f"request to another host: {request.url}")

    def on_response(response: Response) -> None:
        if response.status >= 400:
            troubles.append(f"{response.status} for {response.request.method} {response.url}")

    def on_failure(request: Request) -> None:
        # Aborted: the page was left before it had loaded everything.
        if request.failure != "net::ERR_ABORTED":
            troubles.append(f"{request.failure} for {request.method} {request.url}")

    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    context.on("request", on_request)
    context.on("response", on_response)
    context.on("requestfailed", on_failure)
    context.on("console", on_console)
    context.on("weberror", lambda error: troubles.append(f"uncaught: {error.error}"))
    yield await context.new_page()
    await context.close()
    assert troubles == []

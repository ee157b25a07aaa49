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
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Page,
    Request,
    Response,
    async_playwright,
    expect,
)

from tests.support.checkout import ROOT

# These machines are slow at times; a failure is seen in time nevertheless.
expect.set_options(timeout=60_000)

# Still: the examples are compared with what the server answers a moment later.
DEMO_COMMAND = (sys.executable, "-m", "joblens", "demo", "--still")
SERVE_COMMAND = (sys.executable, "-m", "joblens", "serve")
START_SECONDS = 120
STOP_SECONDS = 60

# The shell has no windows of its own, so that pages get the processor.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
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
    raise AssertionError(f"the server told no URL; it wrote:\n{log.read_text()}")


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
def demo_folder() -> Iterator[Path]:
    """Where the demo's data is."""
    with new_data() as folder:
        yield folder


@pytest.fixture(scope="session")
def demo_url(demo_folder: Path) -> Iterator[str]:
    """The GraphQL URL of `joblens demo`, run as a process of its own on new data."""
    with running(DEMO_COMMAND, demo_folder) as url:
        yield url


@dataclass(frozen=True, slots=True)
class Guarded:
    """A server that wants a token, and how to get and to take away one."""

    url: str
    folder: Path

    def joblens(self, *arguments: str) -> str:
        """Run a command on its data, and get what it prints."""
        run = subprocess.run(
            (sys.executable, "-m", "joblens", *arguments),
            cwd=ROOT,
            env=environment(self.folder),
            check=True,
            capture_output=True,
            text=True,
        )
        return run.stdout.strip()

    def new_token(self) -> str:
        """Make a token."""
        whose = ("--org", "Visitors", "--role", "viewer", "--name", "visitor")
        return self.joblens("token", "create", *whose)


@pytest.fixture(scope="session")
def guarded() -> Iterator[Guarded]:
    """`joblens serve` as it is without any setting."""
    with new_data() as folder:
        Guarded("", folder).joblens("migrate")
        with running(SERVE_COMMAND, folder) as url:
            server = Guarded(url, folder)
            server.joblens("org", "create", "Visitors")
            yield server


@contextmanager
def new_data() -> Iterator[Path]:
    # A short path: a Unix socket's may have no more than about a hundred bytes.
    folder = Path(tempfile.mkdtemp(prefix="joblens-e2e-"))
    yield folder
    shutil.rmtree(folder)


def environment(folder: Path) -> dict[str, str]:
    plain = {k: v for k, v in os.environ.items() if not k.startswith("JOBLENS_")}
    return plain | {
        "JOBLENS_PORT": "0",
        "JOBLENS_DATA_DIR": str(folder / "data"),
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def running(command: tuple[str, ...], folder: Path, **settings: str) -> Iterator[str]:
    """Run a server on the data in this folder, and get its GraphQL URL.

    `settings`: variables of its environment.
    """
    log = folder / f"server-{uuid4().hex}.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(folder) | settings,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield announced_url(server, log)
    finally:
        stop(server)


def find_browser() -> str | None:
    """Find the system's Chromium; None if there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    executable = find_browser()
    if executable is None:
        pytest.fail("these tests need Chromium: apt-get install chromium-headless-shell")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable, args=list(BROWSER_ARGUMENTS)
        )
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser, demo_url: str) -> AsyncIterator[Page]:
    """A page of a first-time visitor. Whatever goes wrong in it fails the test at its end."""
    async with visiting(browser, demo_url) as page:
        yield page


@asynccontextmanager
async def visiting(
    browser: Browser, url: str, expected: tuple[str, ...] = (), **options: Any
) -> AsyncIterator[Page]:
    """Open a page for what is at this URL; only what has one of `expected` in it may go wrong.

    `options`: of the browser's context, such as `color_scheme`.
    """
    troubles: list[str] = []
    own_host = urlsplit(url).netloc

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

    chosen = {"viewport": {"width": 1440, "height": 900}} | options
    context = await browser.new_context(**chosen)
    context.on("request", on_request)
    context.on("response", on_response)
    context.on("requestfailed", on_failure)
    context.on("console", on_console)
    context.on("weberror", lambda error: troubles.append(f"uncaught: {error.error}"))
    yield await context.new_page()
    await context.close()
    assert [each for each in troubles if not any(words in each for words in expected)] == []

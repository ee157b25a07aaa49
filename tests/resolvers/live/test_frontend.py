"""The frontends of examples/live_frontend, in Node: they miss nothing and tell nothing twice."""

import asyncio
import json
import re
import shutil
import signal
import subprocess
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import ANY
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import create_engine
from joblens import JobRepository, session_scope
from tests.resolvers.live.test_node import SCRIPT
from tests.support.checkout import ROOT
from tests.support.node import PACKAGE, node
from tests.support.patience import PATIENCE_SECONDS
from tests.support.processes import command_running
from tests.support.service import ORG

PAGE = ROOT / "docs" / "how-to" / "live-updates-in-a-frontend.md"
PUT_TOGETHER = re.compile(r"^Put together:\n\n```js\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = ROOT / "examples" / "live_frontend"
KINDS = {f"{client} over {way}" for client in ("urql", "Apollo") for way in ("WebSocket", "SSE")}


class Ledger:
    """Writes as workers do, without a server, and knows what was written."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        # Another one for each test.
        self.org_id = uuid4()
        self.ids: list[str] = []

    async def create(self) -> None:
        async with session_scope(self.org_id, engine=self.engine) as session:
            made = await JobRepository(session).create_job("report.build")
        self.job_id = made.job.id
        self.ids.append(f"{self.job_id}:1")

    async def note(self, count: int, size: int = 1) -> None:
        detail = {"words": "x" * size}
        async with session_scope(self.org_id, engine=self.engine) as session:
            for _ in range(count):
                seq = await JobRepository(session).log_job_event(self.job_id, detail)
                self.ids.append(f"{self.job_id}:{seq}")


class Frontends:
    """What all kinds of them have told, each by itself."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.told: defaultdict[str, defaultdict[str, list[Any]]]
        self.told = defaultdict(lambda: defaultdict(list))

    async def until(self, is_so: Callable[[defaultdict[str, list[Any]]], bool]) -> None:
        """Listen until it is so for each kind."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not all(is_so(self.told[kind]) for kind in KINDS):
                line = await self.process.stdout.readline()
                assert line, await self.end()
                kind, what, value = json.loads(line)
                self.told[kind][what].append(value)

    async def have_told(self, ids: list[str]) -> None:
        await self.until(lambda told: len(told["event"]) >= len(ids))
        assert {kind: told["event"] for kind, told in self.told.items()} == dict.fromkeys(
            KINDS, ids
        )

    async def end(self) -> tuple[int | None, str]:
        """Ask them to end; get the status and what was said to standard error."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            _, errors = await self.process.communicate(b"")
        return self.process.returncode, errors.decode()


def put_beside(folder: Path) -> None:
    """Copy the examples as a user has them: beside each other, with their packages installed."""
    for source in (*EXAMPLES.glob("*.mjs"), SCRIPT.with_name("frontend.mjs")):
        shutil.copy(source, folder)
    (folder / "node_modules").symlink_to(PACKAGE.with_name("node_modules"))


@asynccontextmanager
async def running(*arguments: str | Path) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(node(), *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@asynccontextmanager
async def watching(folder: Path, base: str, ledger: Ledger) -> AsyncIterator[Frontends]:
    put_beside(folder)
    words = (folder / "frontend.mjs", f"{base}/graphql", str(ledger.org_id))
    async with running(*words) as process:
        frontends = Frontends(process)
        await frontends.until(lambda told: bool(told["watching"]))
        yield frontends
        assert await frontends.end() == (0, "")
        assert not any(told["error"] for told in frontends.told.values())


@pytest.fixture
async def ledger(database_url: str) -> AsyncIterator[Ledger]:
    engine = create_engine(database_url)
    yield Ledger(engine)
    await engine.dispose()


@pytest.mark.long
async def test_a_server_that_stops_and_starts_again(
    database_url: str, tmp_path: Path, ledger: Ledger
) -> None:
    """First in good order, when it completes all subscriptions; then by force."""
    await ledger.create()
    async with AsyncExitStack() as stack:
        process, base = await stack.enter_async_context(command_running(database_url))
        frontends = await stack.enter_async_context(watching(tmp_path, base, ledger))
        await ledger.note(3)
        await frontends.have_told(ledger.ids)
        for number in (signal.SIGTERM, signal.SIGKILL):
            process.send_signal(number)
            await process.communicate()
            # Nobody serves now.
            await ledger.note(3)
            process, _ = await stack.enter_async_context(
                command_running(database_url, port=str(urlsplit(base).port))
            )
            await ledger.note(3)
            await frontends.have_told(ledger.ids)
    for told in frontends.told.values():
        assert told["interrupted"][0] == "completed"
        # Where it began, and after the last event before each end.
        assert len(set(told["after"])) == 3


@pytest.mark.long
async def test_a_frontend_that_is_too_slow(
    database_url: str, tmp_path: Path, ledger: Ledger
) -> None:
    """It is ended with SLOW_CONSUMER, and goes on where it stopped."""
    await ledger.create()
    async with (
        command_running(database_url, live_queue_size="10") as (_, base),
        watching(tmp_path, base, ledger) as frontends,
    ):
        for seconds in range(1, 10):
            # Stopped, it reads nothing. The system holds some for it: tens of megabytes here or there.
            frontends.process.send_signal(signal.SIGSTOP)
            await ledger.note(80 * seconds, size=200_000)
            # The server is patient for a while, and tells nobody when it gives up.
            await asyncio.sleep(seconds)
            frontends.process.send_signal(signal.SIGCONT)
            await frontends.have_told(ledger.ids)
            if all("SLOW_CONSUMER" in told["interrupted"] for told in frontends.told.values()):
                break
        assert {each for told in frontends.told.values() for each in told["interrupted"]} == {
            "SLOW_CONSUMER"
        }
        assert all(told["interrupted"] for told in frontends.told.values())


IN_NODE = """
import {{ WebSocket }} from 'ws';
globalThis.WebSocket ??= WebSocket;
globalThis.location = {{ href: '{base}/page' }};
{code}
process.stdin.resume().on('end', () => process.exit());
"""


async def test_what_the_page_puts_together(
    database_url: str, tmp_path: Path, ledger: Ledger
) -> None:
    ledger.org_id = UUID(ORG)
    await ledger.create()
    put_beside(tmp_path)
    examples = PUT_TOGETHER.findall(PAGE.read_text())
    assert len(examples) == 2
    async with command_running(database_url) as (_, base):
        for code in examples:
            script = tmp_path / "page.mjs"
            script.write_text(IN_NODE.format(base=base, code=code))
            async with running(script) as process, asyncio.timeout(PATIENCE_SECONDS):
                assert process.stdout is not None
                for known in (True, False):
                    if not known:
                        await ledger.note(1)
                    while ledger.ids[-1].encode() not in (line := await process.stdout.readline()):
                        assert line
                assert await process.communicate(b"") == (ANY, b"")

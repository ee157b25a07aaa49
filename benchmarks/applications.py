"""Applications of Joblens in one process, which take turns at being asked."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from benchmarks.load import Client
from benchmarks.servers import ROOT, START_SECONDS, environment, python


@dataclass(frozen=True, slots=True)
class Application:
    """An application: its process, and kept connections to it."""

    pid: int
    clients: Sequence[Client]

    async def send(self, request: bytes, times: int) -> None:
        """Send a request so often on each connection."""

        async def send(client: Client) -> None:
            for _ in range(times):
                await client.send(request)

        await asyncio.gather(*map(send, self.clients))

    async def close(self) -> None:
        """Hang up."""
        for each in self.clients:
            await each.close()


@asynccontextmanager
async def applications(
    url: str, settings: Sequence[Mapping[str, str]], connections: int
) -> AsyncIterator[list[Application]]:
    """Serve applications with these settings in one process, which has a core of its own if it can.

    `connections`: to each, which are kept.
    """
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(_applications(url, *settings))
        found = []
        for port in served.ports:
            clients = [await Client.connect(port) for _ in range(connections)]
            found.append(Application(served.pid, clients))
            stack.push_async_callback(found[-1].close)
        yield found


@dataclass(frozen=True, slots=True)
class _Applications:
    """Applications of Joblens in one process, each on a port of its own."""

    ports: Sequence[int]
    pid: int


@asynccontextmanager
async def _applications(
    database_url: str, *contestants: Mapping[str, str]
) -> AsyncIterator[_Applications]:
    # This process and what it starts later take the other cores.
    before = os.sched_getaffinity(0)
    own = {max(before)}
    process = await asyncio.create_subprocess_exec(
        *python("benchmarks.apps", json.dumps(contestants)),
        cwd=ROOT,
        env=environment(database_url, {}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_SECONDS):
            ports = json.loads(await process.stdout.readline())
        os.sched_setaffinity(process.pid, own)
        os.sched_setaffinity(0, before - own or before)
        yield _Applications(ports, process.pid)
    finally:
        os.sched_setaffinity(0, before)
        if process.returncode is None:
            process.terminate()
        await process.wait()

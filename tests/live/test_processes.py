"""The real command, with one process and several: those who watch are told of its end."""

import asyncio
import re
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from tests.cli.conftest import command
from tests.live.clients import COUNTS, PATIENCE_SECONDS, socket, stream
from tests.service import Service

Process = asyncio.subprocess.Process


@asynccontextmanager
async def command_running(
    database_url: str, *arguments: str, auth: str = "none"
) -> AsyncIterator[tuple[Process, str]]:
    """Run `joblens serve` on a free port; get its process and its base URL."""
    environment = {"JOBLENS_DATABASE_URL": database_url, "JOBLENS_PORT": "0", "JOBLENS_AUTH": auth}
    process = await asyncio.create_subprocess_exec(
        *command("serve", *arguments),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for line in process.stdout:
                if found := re.search(rb"(http://\S+)/healthz", line):
                    break
        assert found is not None
        yield process, found[1].decode()
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("workers", ["1", "2"])
async def test_the_end_of_the_command(
    database_url: str, workers: str, number: signal.Signals
) -> None:
    async with AsyncExitStack() as stack:
        process, base = await stack.enter_async_context(
            command_running(database_url, "--workers", workers)
        )
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=base, timeout=60))
        service = cast("Service", SimpleNamespace(client=client))
        sockets: list[Any] = []
        for _ in range(6):
            sockets.append(await stack.enter_async_context(socket(service)))
            await sockets[-1].init()
            await sockets[-1].subscribe("1", COUNTS)
            assert (await sockets[-1].receive())["type"] == "next"
        events = await stack.enter_async_context(stream(service, COUNTS))
        assert (await events.event())[0] == "next"

        process.send_signal(number)

        for each in sockets:
            assert await each.receive() == {"id": "1", "type": "complete"}
            assert (await each.closed())[0] == 1001
        assert await events.event() == ("complete", None)
        async with asyncio.timeout(PATIENCE_SECONDS):
            _, errors = await process.communicate()
        assert b"Traceback" not in errors
        assert b"running task(s)" not in errors

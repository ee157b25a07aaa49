"""The real command, with one process and several: those who watch are told of its end."""

import asyncio
import signal
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.live.clients import COUNTS, PATIENCE_SECONDS, socket, stream
from tests.processes import command_running
from tests.service import Api, client_of


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("workers", ["1", "2"])
async def test_the_end_of_the_command(
    database_url: str, workers: str, number: signal.Signals
) -> None:
    async with AsyncExitStack() as stack:
        process, base = await stack.enter_async_context(
            command_running(database_url, "--workers", workers)
        )
        service = Api(await stack.enter_async_context(client_of(base)))
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

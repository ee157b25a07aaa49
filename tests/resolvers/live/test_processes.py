"""The real command, with one process and several: those who watch are told of its end."""

import asyncio
import signal
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.resolvers.live.clients import COUNTS, socket, stream
from tests.support.patience import PATIENCE_SECONDS
from tests.support.processes import command_running
from tests.support.service import Api, client_of


@pytest.mark.parametrize(
    ("workers", "number"),
    [
        ("1", signal.SIGTERM),
        ("2", signal.SIGINT),
        pytest.param("1", signal.SIGINT, marks=pytest.mark.long),
        pytest.param("2", signal.SIGTERM, marks=pytest.mark.long),
    ],
)
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

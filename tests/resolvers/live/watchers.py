"""Clients that watch over real sockets, each in a task of its own, and may stop reading a while."""

import asyncio
import socket as sockets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Literal
from uuid import UUID

import httpx

from tests.resolvers.live.clients import Socket, Stream, socket, stream
from tests.support.patience import PATIENCE_SECONDS
from tests.support.service import Api

Way = Literal["WebSocket", "SSE"]
SUBSCRIPTION = "subscription"
WAYS: tuple[Way, ...] = ("WebSocket", "SSE")
# So small that a client which does not read is soon felt by the server; with less than a segment of
# the loopback interface, a client that reads again would be sent little at a time, by timers.
LITTLE_BYTES = 65_536


class Watcher:
    """What one subscription has told, and the codes of the errors that it ended with.

    `socket`: the WebSocket that it came over, for other operations; their answers are not read.
    """

    def __init__(self, results: AsyncGenerator[Any, None], socket: Socket | None = None) -> None:
        self.socket = socket
        self.told: list[Any] = []
        self.codes: list[str] = []
        self.has_ended = False
        self._results = results
        self._may_read = asyncio.Event()
        self._may_read.set()

    def ids(self) -> list[str]:
        """Get the ids of the events that were told."""
        return [each["jobEvents"]["node"]["id"] for each in self.told]

    def pause(self) -> None:
        """Read no more: at most what is being waited for."""
        self._may_read.clear()

    def go_on(self) -> None:
        """Read again."""
        self._may_read.set()

    async def run(self) -> None:
        """Read until the subscription ends."""
        async for result in self._results:
            if "errors" in result:
                self.codes += [each["extensions"]["code"] for each in result["errors"]]
            else:
                self.told.append(result["data"])
            await self._may_read.wait()
        self.has_ended = True


@asynccontextmanager
async def watcher(
    api: Api, way: Way, query: str, *, org_id: UUID, little: bool = False
) -> AsyncIterator[Watcher]:
    """Subscribe, and read what comes; `little`: with room for little that was not read."""
    org = {"Joblens_Org": str(org_id)}
    async with AsyncExitStack() as stack:
        if way == "WebSocket":
            room = LITTLE_BYTES if little else None
            client = await stack.enter_async_context(socket(api, receive_buffer_bytes=room, **org))
            await client.init()
            await client.subscribe(SUBSCRIPTION, query)
            watching = Watcher(_over_socket(client), client)
        else:
            if little:
                api = Api(await stack.enter_async_context(_with_little_room(api)))
            events = await stack.enter_async_context(stream(api, query, **org))
            watching = Watcher(_over_stream(events))
        task = asyncio.create_task(watching.run())
        try:
            yield watching
        finally:
            task.cancel()
            (end,) = await asyncio.gather(task, return_exceptions=True)
        if end is not None and not isinstance(end, asyncio.CancelledError):
            raise end


def _with_little_room(api: Api) -> httpx.AsyncClient:
    option = (sockets.SOL_SOCKET, sockets.SO_RCVBUF, LITTLE_BYTES)
    transport = httpx.AsyncHTTPTransport(socket_options=[option], verify=False)
    return httpx.AsyncClient(
        base_url=api.client.base_url, timeout=PATIENCE_SECONDS, transport=transport
    )


async def _over_socket(client: Socket) -> AsyncGenerator[Any, None]:
    while True:
        message = await client.receive()
        if message["id"] != SUBSCRIPTION:
            continue
        if message["type"] == "next":
            yield message["payload"]
        elif message["type"] == "error":
            yield {"errors": message["payload"]}
            return
        else:
            assert message["type"] == "complete"
            return


async def _over_stream(events: Stream) -> AsyncGenerator[Any, None]:
    while True:
        name, data = await events.event()
        if name != "next":
            assert (name, data) == ("complete", None)
            return
        yield data

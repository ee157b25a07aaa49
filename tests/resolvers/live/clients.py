"""Clients of live updates, plain enough to break the protocols' rules."""

import asyncio
import json
import socket as sockets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from tests.support.patience import PATIENCE_SECONDS
from tests.support.service import Api

COUNTS = "subscription { statusCounts { status count { value } } }"
EVENTS = "subscription { jobEvents { node { nextStatus job { id } } } }"


class Socket:
    """A WebSocket that says what it is told and tells what it hears."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, message: Any) -> None:
        """Send JSON; text and bytes go as they are."""
        raw = message if isinstance(message, str | bytes) else json.dumps(message)
        await self.connection.send(raw)

    async def receive(self) -> Any:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return json.loads(await self.connection.recv())

    async def init(self, payload: dict[str, Any] | None = None) -> "Socket":
        await self.send({"type": "connection_init", "payload": payload})
        assert await self.receive() == {"type": "connection_ack"}
        return self

    async def subscribe(self, id_: str, query: str, **variables: Any) -> None:
        payload = {"query": query, "variables": variables}
        await self.send({"id": id_, "type": "subscribe", "payload": payload})

    async def ask(self, id_: str, query: str, **variables: Any) -> Any:
        """Run a query that must not have errors, alone on this socket; get its data."""
        await self.subscribe(id_, query, **variables)
        answer = await self.receive()
        assert (answer["id"], answer["type"]) == (id_, "next")
        assert "errors" not in answer["payload"]
        assert await self.receive() == {"id": id_, "type": "complete"}
        return answer["payload"]["data"]

    async def refused(self, id_: str, query: str, **variables: Any) -> Any:
        """Run what must not run; get its errors' codes."""
        await self.subscribe(id_, query, **variables)
        answer = await self.receive()
        assert (answer["id"], answer["type"]) == (id_, "error")
        assert all(error["message"] for error in answer["payload"])
        return [error["extensions"]["code"] for error in answer["payload"]]

    async def closed(self) -> tuple[int, str]:
        """Wait until the server closes; get its code and reason. It must not say anything else."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            with pytest.raises(ConnectionClosed) as end:
                await self.connection.recv()
        assert end.value.rcvd is not None
        return end.value.rcvd.code, end.value.rcvd.reason


@asynccontextmanager
async def socket(
    service: Api,
    *,
    subprotocol: str | None = "graphql-transport-ws",
    origin: str | None = None,
    receive_buffer_bytes: int | None = None,
    path: str = "/graphql",
    **headers: str,
) -> AsyncIterator[Socket]:
    """Open a WebSocket that has said nothing yet."""
    url = service.client.base_url
    named = {name.lower().replace("_", "-"): value for name, value in headers.items()}
    host = named.pop("host", f"{url.host}:{url.port}")
    plain = sockets.socket()
    if receive_buffer_bytes is not None:
        plain.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, receive_buffer_bytes)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, (url.host, url.port))
    async with connect(
        f"ws://{host}{path}",
        subprotocols=None if subprotocol is None else [Subprotocol(subprotocol)],
        origin=None if origin is None else Origin(origin),
        additional_headers=named,
        sock=plain,
        proxy=None,
        ping_interval=None,
    ) as connection:
        yield Socket(connection)


class Stream:
    """A stream of Server-Sent Events, event by event."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = _lines(response)

    async def line(self) -> str:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await anext(self._lines)

    async def event(self) -> tuple[str, Any]:
        """Get the next event's name and data; comments are passed over."""
        name, data = "", ""
        while True:
            line = await self.line()
            field, _, value = line.partition(":")
            if field == "event":
                name = value.strip()
            elif field == "data":
                data = value.strip()
            elif not line and name:
                return name, json.loads(data) if data else None

    async def ended(self) -> bool:
        """Wait until the server ends the stream, which must have nothing more to tell."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return [line async for line in self._lines if line] == []


async def _lines(response: httpx.Response) -> AsyncIterator[str]:
    # Not `aiter_lines`: for that, lines end at any of Unicode's separators, which JSON may hold.
    rest = b""
    async for chunk in response.aiter_bytes():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.decode()
    if rest:
        yield rest.decode()


@asynccontextmanager
async def stream(
    service: Api, query: str, method: str = "POST", **headers: str
) -> AsyncIterator[Stream]:
    """Ask for a stream of events."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = {"query": query}
    body = {"json": request} if method == "POST" else {"params": request}
    async with service.client.stream(
        method, "/graphql", headers={"accept": "text/event-stream"} | named, **body
    ) as response:
        yield Stream(response)

"""How attacks reach an endpoint of which only the URL is known, and how a normal client fares."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.protocol import CLOSED
from websockets.typing import Subprotocol

from tests.security.attacks import Due, HttpAttack
from tests.security.frames import SocketAttack
from tests.support.patience import PATIENCE_SECONDS
from tests.support.wire import Answer, Wire, wire

# What a WebSocket is closed with for text that is none.
NO_UTF8 = 1007
# Between two questions of the bystander.
PAUSE_SECONDS = 0.01
CODE = re.compile(r"[A-Z][A-Z_]+")


@dataclass(frozen=True)
class Target:
    """An endpoint: its URL, and the headers by which it knows the attacker, and somebody else."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    bystander: dict[str, str] = field(default_factory=dict)

    async def send(self, attack: HttpAttack) -> Answer:
        """Send an attack; get what it is answered."""
        parts = urlsplit(self.url)
        # Before there is a connection, which must not be idle for as long as that takes; nor must
        # the requests of others.
        body = await asyncio.to_thread(attack.body)
        async with wire(parts.hostname or "", parts.port or 80) as line:
            sending = asyncio.create_task(self._send(line, attack, body))
            try:
                return await line.answer()
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, line: Wire, attack: HttpAttack, body: bytes) -> None:
        parts = urlsplit(self.url)
        headers = {"host": parts.netloc, "accept": "application/graphql-response+json"}
        headers |= self.headers | attack.headers
        if attack.chunked:
            headers["transfer-encoding"] = "chunked"
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if body else b""
        elif attack.method == "POST" and not attack.endless:
            headers["content-length"] = str(len(body))
        path = f"{parts.path}?{attack.query_string()}" if attack.query_string() else parts.path
        lines = [f"{attack.method} {path} HTTP/1.1", *(f"{n}: {v}" for n, v in headers.items())]
        # What is endless without a body is endless in its head.
        in_head = bool(attack.endless) and not attack.headers
        await line.send("\r\n".join([*lines, "" if in_head else "\r\n"]).encode() + body)
        while attack.endless:
            await line.send(attack.endless)
            await asyncio.sleep(0.05)

    @asynccontextmanager
    async def socket(self) -> AsyncIterator[ClientConnection]:
        """Open a WebSocket."""
        connection = await connect(
            self.url.replace("http", "ws", 1),
            subprotocols=[Subprotocol("graphql-transport-ws")],
            additional_headers=self.headers,
            max_size=None,
            proxy=None,
        )
        try:
            yield connection
        finally:
            # Python 3.11 fails to close a connection that was lost with much to send.
            if connection.state is not CLOSED:
                await connection.close()

    async def frames(self, attack: SocketAttack) -> int | list[Any]:
        """Send frames; get the code that the socket was closed with, or else what was answered."""
        async with self.socket() as socket:
            if attack.greeted:
                await socket.send('{"type":"connection_init"}')
                assert json.loads(await socket.recv())["type"] == "connection_ack"
            frames = attack.frames()
            with suppress(ConnectionClosed):
                for frame in frames:
                    as_text = isinstance(frame, str) or attack.due == NO_UTF8
                    await socket.send(frame, text=as_text)
                if isinstance(attack.due, Due):
                    await socket.send('{"type":"ping","payload":{"last":true}}')
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    return await _answers(socket, _operations(frames))
            except ConnectionClosed as closed:
                # 1006: the connection was lost without a word.
                return 1006 if closed.rcvd is None else closed.rcvd.code


async def _answers(socket: ClientConnection, operations: int) -> list[Any]:
    """Get what is answered until so many operations have ended, and the last ping is answered."""
    answers: list[Any] = []
    ended, ponged = 0, False
    while not ponged or ended < operations:
        answers.append(json.loads(await socket.recv()))
        ended += answers[-1]["type"] in {"error", "complete"}
        ponged = ponged or answers[-1].get("payload") == {"last": True}
    return answers


def _operations(frames: list[str | bytes]) -> int:
    """Count the operations whose end will be told: not those that the client itself completes."""
    texts = [frame for frame in frames if isinstance(frame, str)]
    asked = sum('"subscribe"' in text for text in texts)
    return asked - sum('"complete"' in text for text in texts)


def well_formed(body: Any, *, refused: bool) -> list[Any]:
    """See that a body is a GraphQL response; get its errors."""
    errors: list[Any] = body.get("errors", [])
    assert refused == ("data" not in body)
    assert errors or not refused
    assert all(isinstance(error["message"], str) and error["message"] for error in errors)
    assert all(CODE.fullmatch(error["extensions"]["code"]) for error in errors)
    return errors


class Bystander:
    """A normal client, which asks again and again, and must be answered every time.

    In a thread of its own: what an attacker does before it sends must not hold it up.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._answers: SimpleQueue[Exception | None] = SimpleQueue()
        self._stop = Event()

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        """Ask before, during and after what goes on inside."""
        asking = asyncio.create_task(asyncio.to_thread(self._ask))
        try:
            await asyncio.to_thread(self._another)
            yield
            await asyncio.to_thread(self._another)
        finally:
            self._stop.set()
            await asking

    def _ask(self) -> None:
        request = {"query": "{ __typename }"}
        # Without TLS: reading certificates would take longer than most attacks.
        client = httpx.Client(
            timeout=PATIENCE_SECONDS, headers=self._target.bystander, verify=False
        )
        with client:
            while not self._stop.wait(PAUSE_SECONDS):
                try:
                    response = client.post(self._target.url, json=request)
                    assert response.status_code == 200
                    assert response.json() == {"data": {"__typename": "Query"}}
                except (AssertionError, httpx.HTTPError) as error:
                    self._answers.put(error)
                    return
                self._answers.put(None)

    def _another(self) -> None:
        """Wait for an answer to what is asked from now on; what comes first was asked before."""
        while not self._answers.empty():
            self._take()
        for _ in range(2):
            self._take()

    def _take(self) -> None:
        if (error := self._answers.get(timeout=PATIENCE_SECONDS)) is not None:
            raise error

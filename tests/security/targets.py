"""How attacks reach an endpoint of which only the URL is known, and how a normal client fares."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.security.attacks import Due, HttpAttack
from tests.security.frames import SocketAttack
from tests.wire import PATIENCE_SECONDS, Answer, Wire, wire

# What a WebSocket is closed with for text that is none.
NO_UTF8 = 1007
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
        async with connect(
            self.url.replace("http", "ws", 1),
            subprotocols=[Subprotocol("graphql-transport-ws")],
            additional_headers=self.headers,
            max_size=None,
            proxy=None,
        ) as connection:
            yield connection

    async def frames(self, attack: SocketAttack) -> int | list[Any]:
        """Send frames; get the code that the socket was closed with, or else what was answered."""
        async with self.socket() as socket:
            if attack.greeted:
                await socket.send('{"type":"connection_init"}')
                assert json.loads(await socket.recv())["type"] == "connection_ack"
            with suppress(ConnectionClosed):
                for frame in attack.frames():
                    as_text = isinstance(frame, str) or attack.due == NO_UTF8
                    await socket.send(frame, text=as_text)
                if isinstance(attack.due, Due):
                    await socket.send('{"type":"ping","payload":{"last":true}}')
            answers: list[Any] = []
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    while True:
                        answers.append(json.loads(await socket.recv()))
                        if isinstance(attack.due, Due) and _is_end(attack, answers):
                            return answers
            except ConnectionClosed as closed:
                # 1006: the connection was lost without a word.
                return 1006 if closed.rcvd is None else closed.rcvd.code


def _is_end(attack: SocketAttack, answers: list[Any]) -> bool:
    ponged = any(answer.get("payload") == {"last": True} for answer in answers)
    frames = attack.frames()
    asked = sum('"subscribe"' in frame for frame in frames if isinstance(frame, str))
    completed = sum('"complete"' in frame for frame in frames if isinstance(frame, str))
    ended = sum(answer["type"] in {"error", "complete"} for answer in answers)
    # What the client itself completes is heard of no more.
    return ponged and ended >= asked - completed


def well_formed(body: Any, *, refused: bool) -> list[Any]:
    """See that a body is a GraphQL response; get its errors."""
    errors: list[Any] = body.get("errors", [])
    assert refused == ("data" not in body)
    assert errors or not refused
    assert all(isinstance(error["message"], str) and error["message"] for error in errors)
    assert all(CODE.fullmatch(error["extensions"]["code"]) for error in errors)
    return errors


class Bystander:
    """A normal client, which asks again and again, and must be answered every time."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._answers: asyncio.Queue[None] = asyncio.Queue()

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        """Ask before, during and after what goes on inside."""
        asking = asyncio.create_task(self._ask())
        try:
            await self._several(asking)
            yield
            await self._several(asking)
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    async def _ask(self) -> None:
        async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
            while True:
                response = await client.post(
                    self._target.url,
                    json={"query": "{ __typename }"},
                    headers=self._target.bystander,
                )
                assert response.status_code == 200
                assert response.json() == {"data": {"__typename": "Query"}}
                self._answers.put_nowait(None)

    async def _several(self, asking: "asyncio.Task[None]") -> None:
        while not self._answers.empty():
            self._answers.get_nowait()
        for _ in range(3):
            answer = asyncio.ensure_future(self._answers.get())
            await asyncio.wait({answer, asking}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                answer.cancel()
                asking.result()

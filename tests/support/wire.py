"""A connection to a server, byte by byte, for whatever a proper HTTP client would not send."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.patience import PATIENCE_SECONDS

# Never how long something takes: only when a test gives up on a server that hangs.


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def code(self) -> Any:
        """Get the code of the one error that this is."""
        assert self.headers["content-type"].endswith("json; charset=utf-8"), self
        (error,) = self.json()["errors"]
        assert error["message"]
        return error["extensions"]["code"]


class Wire:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        """Send what the server still takes."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except ConnectionError:
            pass

    async def answer(self) -> Answer:
        """Read one answer."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            status, *lines = head.strip().split("\r\n")
            headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(status.split()[1]), headers, body)

    async def closed(self) -> bool:
        """Wait until the server has closed; say whether it had nothing more to tell."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            try:
                return await self.reader.read() == b""
            except ConnectionError:
                return True


@asynccontextmanager
async def wire(host: str, port: int, limit: int = 2**16) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection(host, port, limit=limit)
    try:
        yield Wire(reader, writer)
    finally:
        writer.transport.abort()


def post(body: bytes = b'{"query":"{__typename}"}', *headers: str, length: bool = True) -> bytes:
    """Write a POST of JSON to /graphql, with a Content-Length unless another length is told."""
    lines = ["POST /graphql HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    lines += [f"Content-Length: {len(body)}"] * length
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body

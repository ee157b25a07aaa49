"""Stands between Joblens and PostgreSQL, and loses what a test wants lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal
from urllib.parse import parse_qs, urlsplit, urlunsplit

COMMIT = b"COMMIT\0"


class Proxy:
    """`loses`: with which part of a COMMIT the connection is lost. `silent`: nothing is answered;
    from COMMIT on, where that is what `loses` says. `refuses`: new connections are ended at once.

    `url` is that of the database by way of this.
    """

    def __init__(self, database_url: str) -> None:
        self._parts = urlsplit(database_url)
        self.loses: Literal["request", "answer", "silence"] | None = None
        self.silent = False
        self.refuses = False
        self.connections = 0
        self._open: list[asyncio.StreamWriter] = []
        self.url = ""

    def listen(self, port: int) -> None:
        user = self._parts.netloc.rpartition("@")[0] or "postgres"
        netloc = f"{user}@127.0.0.1:{port}"
        self.url = urlunsplit(self._parts._replace(netloc=netloc, query="sslmode=disable"))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            writer.transport.abort()
            return
        self.connections += 1
        self._open.append(writer)
        far_reader, far_writer = await self._connect()
        answer_is_lost = asyncio.Event()
        with suppress(OSError, asyncio.IncompleteReadError):
            await asyncio.wait(
                {
                    asyncio.create_task(self._ask(reader, far_writer, answer_is_lost)),
                    asyncio.create_task(self._answer(far_reader, writer, answer_is_lost)),
                },
                return_when=asyncio.FIRST_COMPLETED,
            )
        for each in (writer, far_writer):
            each.transport.abort()

    def end_all(self) -> None:
        """End all connections."""
        for writer in self._open:
            writer.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._parts.hostname:
            return await asyncio.open_connection(self._parts.hostname, self._parts.port)
        where = parse_qs(self._parts.query)
        port = where.get("port", ["5432"])[0]
        return await asyncio.open_unix_connection(f"{where['host'][0]}/.s.PGSQL.{port}")

    async def _ask(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answer_is_lost: asyncio.Event,
    ) -> None:
        # The first message has no type.
        kind = b""
        while True:
            with suppress(OSError, asyncio.IncompleteReadError):
                length = await reader.readexactly(4)
                body = await reader.readexactly(int.from_bytes(length) - 4)
                if (kind, body) == (b"Q", COMMIT):
                    if self.loses == "request":
                        return
                    if self.loses == "answer":
                        answer_is_lost.set()
                    self.silent |= self.loses == "silence"
                writer.write(kind + length + body)
                kind = await reader.readexactly(1)
                continue
            return

    async def _answer(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answer_is_lost: asyncio.Event,
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                if answer_is_lost.is_set():
                    return
                if not self.silent:
                    writer.write(data)


@asynccontextmanager
async def proxy(database_url: str) -> AsyncIterator[Proxy]:
    proxy = Proxy(database_url)
    async with await asyncio.start_server(proxy.serve, "127.0.0.1", 0) as server:
        proxy.listen(server.sockets[0].getsockname()[1])
        yield proxy

"""The listener alone: what it hears, and how it notices that nobody is there any more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import asyncpg
import pytest
from structlog.testing import CapturingLogger

from db.listener import Listener
from db.notifier import Notifier
from tests.conftest import FreshDatabase
from tests.resolvers.live.watching import until
from tests.support.patience import PATIENCE_SECONDS


class Proxy:
    """Stands between the listener and the server, and can fall silent without hanging up."""

    def __init__(self) -> None:
        self.connections = 0
        self.silent: set[int] = set()
        # What ends a connection as soon as it is sent.
        self.ends_at = b""

    async def serve(
        self, url: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        number = self.connections
        parts = urlsplit(url)
        if parts.hostname:
            far = await asyncio.open_connection(parts.hostname, parts.port)
        else:
            where = parse_qs(parts.query)
            far = await asyncio.open_unix_connection(
                f"{where['host'][0]}/.s.PGSQL.{where['port'][0]}"
            )
        await asyncio.gather(
            self.pump(number, reader, far[1]),
            self.pump(number, far[0], writer),
            return_exceptions=True,
        )

    async def pump(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while data := await reader.read(65_536):
                if self.ends_at and self.ends_at in data:
                    return
                if number not in self.silent:
                    writer.write(data)
        finally:
            writer.close()


@asynccontextmanager
async def listening(url: str, **seconds: float) -> AsyncIterator[asyncio.Queue[UUID | None]]:
    """What is heard; None for each time it begins to listen."""
    heard: asyncio.Queue[UUID | None] = asyncio.Queue()
    listener = Listener(
        url,
        on_notification=heard.put_nowait,
        on_connected=lambda: heard.put_nowait(None),
        **seconds,
    )
    listener.start()
    listener.start()
    try:
        yield heard
    finally:
        await listener.stop()
        await listener.stop()


async def get(heard: asyncio.Queue[UUID | None]) -> UUID | None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await heard.get()


async def notify(url: str, payload: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("SELECT pg_notify('joblens', $1)", payload)
    await connection.close()


async def test_it_hears_organisations_and_nothing_else(database_url: str) -> None:
    async with listening(database_url) as heard:
        assert await get(heard) is None
        org_id = uuid4()
        for payload in ("nonsense", "", str(org_id)):
            await notify(database_url, payload)
        assert await get(heard) == org_id


async def test_an_idle_connection_is_kept(database_url: str) -> None:
    async with listening(database_url, keep_alive_seconds=0.01) as heard:
        assert await get(heard) is None
        for _ in range(20):
            org_id = uuid4()
            await notify(database_url, str(org_id))
            assert await get(heard) == org_id


async def test_a_silent_death_is_noticed(database_url: str) -> None:
    proxy = Proxy()
    server = await asyncio.start_server(
        lambda r, w: proxy.serve(database_url, r, w), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    url = f"postgresql://postgres@127.0.0.1:{port}{urlsplit(database_url).path}"
    async with server, listening(url, keep_alive_seconds=0.05, connect_timeout_seconds=1) as heard:
        assert await get(heard) is None
        proxy.silent.add(1)
        assert await get(heard) is None
        assert proxy.connections >= 2
        org_id = uuid4()
        await notify(database_url, str(org_id))
        assert await get(heard) == org_id
    await until(lambda: len(asyncio.all_tasks()) < 10)


async def test_it_waits_for_a_server_that_is_away() -> None:
    async with listening("postgresql://postgres@127.0.0.1:1/nowhere") as heard:
        await asyncio.sleep(0.3)
        assert heard.empty()


async def test_it_knows_whether_it_hears(
    database_url: str, fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the address of another database it does not, and says so once."""
    elsewhere = await fresh_database()

    notifier = Notifier(database_url)

    def listener(url: str, hearing_seconds: float) -> Listener:
        return Listener(
            url,
            on_notification=lambda _org_id: None,
            on_connected=lambda: None,
            send=notifier.send,
            keep_alive_seconds=0.01,
            hearing_seconds=hearing_seconds,
        )

    hearing, deaf = listener(database_url, PATIENCE_SECONDS), listener(elsewhere, 0.5)
    assert hearing.hears is None
    log = CapturingLogger()
    monkeypatch.setattr("db.listener.log", log)
    hearing.start()
    deaf.start()
    await until(lambda: deaf.hears is False and hearing.hears is True)
    await asyncio.sleep(1.5)
    await hearing.stop()
    await deaf.stop()
    await notifier.stop()
    assert [call.args for call in log.calls] == [("notifications are not heard",)]
    assert hearing.hears is None


async def test_it_does_not_hurry_where_listening_fails(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a standby, where connecting succeeds: it waits longer each time."""
    failures: list[int] = []

    def wait_seconds(count: int) -> float:
        failures.append(count)
        return 0.0

    monkeypatch.setattr("db.listener.wait_seconds", wait_seconds)
    proxy = Proxy()
    proxy.ends_at = b"LISTEN"
    server = await asyncio.start_server(
        lambda r, w: proxy.serve(database_url, r, w), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    path = urlsplit(database_url).path
    async with server, listening(f"postgresql://postgres@127.0.0.1:{port}{path}?sslmode=disable"):
        await until(lambda: len(failures) >= 5)
    assert failures[:5] == [0, 1, 2, 3, 4]
    assert proxy.connections >= 5

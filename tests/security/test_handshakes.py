"""WebSockets where they begin and end: answers in order, and a close code that always arrives."""

import asyncio
import socket as sockets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from server.uvicorn import lingering
from server.uvicorn.websocket_protocol import WebSocketProtocol
from tests.resolvers.live.clients import socket
from tests.resolvers.live.rest import table_locked, until_someone_waits
from tests.security.test_floods import HANDSHAKE
from tests.support.service import serving
from tests.support.wire import PATIENCE_SECONDS, Wire, post, wire

MIB = 2**20
CONTINUED, TEXT, BINARY, PING, FINAL = 0, 1, 2, 9, 0x80
INIT = b'{"type":"connection_init"}'
ACKNOWLEDGED = b'{"type":"connection_ack"}'


def frame(kind: int, payload: bytes) -> bytes:
    """Write a client's frame of any size, masked by zeros."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 2**16:
        length = b"\xfe" + size.to_bytes(2)
    else:
        length = b"\xff" + size.to_bytes(8)
    return bytes([kind]) + length + bytes(4) + payload


async def received(line: Wire) -> tuple[int, bytes]:
    """Get the next of the server's frames: its kind and its payload."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        kind, size = await line.reader.readexactly(2)
        return kind, await line.reader.readexactly(size)


@asynccontextmanager
async def begun(port: int) -> AsyncIterator[Wire]:
    async with wire("127.0.0.1", port) as line:
        await line.send(HANDSHAKE)
        assert (await line.answer()).status == 101
        await line.send(frame(FINAL | TEXT, INIT))
        assert await received(line) == (FINAL | TEXT, ACKNOWLEDGED)
        yield line


@pytest.mark.parametrize("before", [0, 1, 50])
@pytest.mark.parametrize("piece", [1, 100_000])
async def test_what_was_asked_before_is_answered_before(port: int, before: int, piece: int) -> None:
    """And what comes with the handshake is read after its answer."""
    sent = post() * before + HANDSHAKE + frame(FINAL | TEXT, INIT)
    async with wire("127.0.0.1", port) as line:
        for start in range(0, len(sent), piece):
            await line.send(sent[start : start + piece])
            await asyncio.sleep(0)
        for _ in range(before):
            assert (await line.answer()).json() == {"data": {"__typename": "Query"}}
        assert (await line.answer()).status == 101
        assert await received(line) == (FINAL | TEXT, ACKNOWLEDGED)


async def test_a_handshake_waits_for_a_slow_answer(database_url: str) -> None:
    async with serving(database_url) as service:
        port = service.client.base_url.port or 0
        async with wire("127.0.0.1", port) as line:
            async with table_locked(database_url):
                await line.send(post(b'{"query":"{jobs{nodes{id}}}"}') + HANDSHAKE)
                await until_someone_waits(database_url)
                async with socket(service) as other:
                    await other.init()
            assert (await line.answer()).json()["data"] == {"jobs": {"nodes": []}}
            assert (await line.answer()).status == 101


UPGRADE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "sec-websocket-version": "13",
}


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/graphql", {}, 101),
        ("/graphql", {"sec-websocket-key": "x"}, 400),
        ("/graphql", {"sec-websocket-version": "12"}, 400),
        ("/nothing", {}, 404),
        ("/graphql", {"origin": "https://elsewhere.example"}, 403),
        ("/graphql", {"host": "elsewhere.example"}, 421),
        ("/graphql", {"x": "y" * 20_000}, 431),
        ("/graphql", {"upgrade": "h2c"}, 400),
        ("/graphql", {"host": "a b"}, 400),
    ],
)
async def test_no_header_comes_twice(
    port: int, path: str, headers: dict[str, str], status: int
) -> None:
    url = f"http://127.0.0.1:{port}{path}"
    async with (
        httpx.AsyncClient(timeout=PATIENCE_SECONDS, verify=False) as client,
        client.stream("GET", url, headers=UPGRADE | headers) as answer,
    ):
        names = [name.lower() for name, _ in answer.headers.multi_items()]
        assert (answer.status_code, names.count("date")) == (status, 1)
        assert len(names) == len(set(names))


def fragments(count: int, size: int) -> bytes:
    return frame(TEXT, b"x" * size) + frame(CONTINUED, b"x" * size) * count


PONG = frame(FINAL | TEXT, b'{"type":"pong"}')
MORE = PONG * 100_000
ENDS: dict[str, tuple[bytes, int]] = {
    "5 MB": (frame(FINAL | TEXT, b"x" * 5_000_000), 1009),
    "5 MB, binary": (frame(FINAL | BINARY, b"x" * 5_000_000), 1009),
    "5 MB, and more": (frame(FINAL | TEXT, b"x" * 5_000_000) + MORE, 1009),
    "5 MB in large fragments": (fragments(5, MIB - 10), 1009),
    "5 MB in small fragments": (fragments(1_000, 5_000), 1009),
    "fragments without end": (fragments(500_000, 1), 1009),
    "5 MB after others": (PONG * 50 + frame(FINAL | TEXT, b"x" * 5_000_000), 1009),
    "a message too large by one byte": (frame(FINAL | TEXT, b"x" * (MIB + 1)) + MORE, 1009),
    "no UTF-8": (frame(FINAL | TEXT, b"\xff") + MORE, 1007),
    "no UTF-8, time and again": (
        (frame(FINAL | TEXT, b"\xff") + frame(FINAL | PING, b"x") + PONG) * 1_000 + MORE,
        1007,
    ),
    "a frame without a mask": (b"\x81\x01x" + MORE, 1002),
    "a frame of an unknown kind": (frame(FINAL | 3, b"x") + MORE, 1002),
    "a frame of reserved bits": (frame(FINAL | 0x40 | TEXT, b"x") + MORE, 1002),
    "a fragment of nothing": (frame(FINAL | CONTINUED, b"x") + MORE, 1002),
    "no message": (frame(FINAL | TEXT, b"{") + MORE, 4400),
    "a second greeting": (frame(FINAL | TEXT, INIT) + MORE, 4429),
}


async def test_a_client_that_reads_nothing_loses_its_connection(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that has been closed: what was sent to it would be kept for good."""
    monkeypatch.setattr(lingering, "LINGERING_SECONDS", 0.1)
    monkeypatch.setattr(lingering, "STALLED_SECONDS", 0.1)
    lost = asyncio.Event()
    connection_lost = WebSocketProtocol.connection_lost

    def tell(self: WebSocketProtocol, exc: Exception | None) -> None:
        connection_lost(self, exc)
        lost.set()

    monkeypatch.setattr(WebSocketProtocol, "connection_lost", tell)
    ping = b'{"type":"ping","payload":{"x":"%s"}}' % (b"x" * 50_000)
    loop = asyncio.get_running_loop()
    async with serving(database_url, websocket_init_timeout_seconds="0.5") as service:
        with sockets.socket() as client:
            client.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4_096)
            client.setblocking(False)
            await loop.sock_connect(client, ("127.0.0.1", service.client.base_url.port))
            await loop.sock_sendall(client, HANDSHAKE)
            assert b" 101 " in await loop.sock_recv(client, 1_000)
            flood = frame(FINAL | TEXT, ping) * 500
            sending = asyncio.create_task(loop.sock_sendall(client, flood))
            async with asyncio.timeout(PATIENCE_SECONDS):
                await lost.wait()
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


@pytest.mark.parametrize("name", ENDS)
async def test_the_close_code_arrives(port: int, name: str) -> None:
    """All is sent before anything is read."""
    sent, code = ENDS[name]
    async with begun(port) as line:
        line.writer.write(sent)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await line.writer.drain()
        while (told := await received(line))[0] != FINAL | 8:
            pass
    assert int.from_bytes(told[1][:2]) == code


async def test_the_connection_is_closed_after_the_close_code(port: int) -> None:
    async with begun(port) as line:
        await line.send(frame(FINAL | TEXT, b"x" * 5_000_000))
        assert (await received(line))[0] == FINAL | 8
        assert await line.closed()

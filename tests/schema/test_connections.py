"""Connections that are slow, silent, endless or no HTTP: each is ended, and told why if it can be."""

import asyncio
import socket as socketlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest

from server.uvicorn import http_protocol
from tests.resolvers.live.clients import socket
from tests.resolvers.live.rest import table_locked, until_someone_waits
from tests.support.patience import PATIENCE_SECONDS
from tests.support.service import Service, serving
from tests.support.wire import Wire, post, wire

TYPENAME = {"data": {"__typename": "Query"}}
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
MIB = 2**20


@pytest.fixture(scope="module")
async def hurried(database_url: str) -> AsyncIterator[Service]:
    """A server that waits for nobody."""
    async with serving(
        database_url, head_timeout_seconds="0.2", body_timeout_seconds="0.2"
    ) as running:
        yield running


def connect(service: Service) -> AbstractAsyncContextManager[Wire]:
    url = service.client.base_url
    assert url.port is not None
    return wire(url.host, url.port)


async def test_whoever_says_nothing_is_closed(hurried: Service) -> None:
    async with connect(hurried) as client:
        assert await client.closed()


@pytest.mark.parametrize("before", [0, 1, 3])
async def test_heads_that_do_not_end(hurried: Service, before: int) -> None:
    async with connect(hurried) as client:
        for _ in range(before):
            await client.send(GET)
            assert (await client.answer()).status == 200
        await client.send(b"POST /graphql HTTP/1.1\r\n")
        dribbling = asyncio.create_task(dribble(client, b"X-A: b\r\n"))
        answer = await client.answer()
        assert (answer.status, answer.code()) == (408, "REQUEST_TIMEOUT")
        assert answer.headers["connection"] == "close"
        assert answer.headers["x-request-id"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert await client.closed()
        dribbling.cancel()


async def dribble(client: Wire, piece: bytes) -> None:
    while True:
        await client.send(piece)
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("chunked", [True, False])
async def test_bodies_that_do_not_end(hurried: Service, chunked: bool) -> None:
    async with connect(hurried) as client:
        length = "Transfer-Encoding: chunked" if chunked else "Content-Length: 100000"
        await client.send(post(b"", length, length=False))
        dribbling = asyncio.create_task(dribble(client, b"1\r\n \r\n" if chunked else b" "))
        answer = await client.answer()
        assert (answer.status, answer.code()) == (408, "REQUEST_TIMEOUT")
        assert answer.headers["connection"] == "close"
        assert await client.closed()
        dribbling.cancel()


async def test_a_body_that_goes_on_after_its_answer(hurried: Service) -> None:
    async with connect(hurried) as client:
        await client.send(post(b"", "Content-Length: 100000000", length=False))
        assert (await client.answer()).code() == "PAYLOAD_TOO_LARGE"
        dribbling = asyncio.create_task(dribble(client, b" "))
        assert await client.closed()
        dribbling.cancel()


async def test_what_takes_us_long_is_not_cut(hurried: Service, database_url: str) -> None:
    async with connect(hurried) as client:
        async with table_locked(database_url):
            await client.send(post(b'{"query":"{jobs{nodes{id}}}"}'))
            await until_someone_waits(database_url)
            await asyncio.sleep(0.5)
        assert (await client.answer()).json()["data"] == {"jobs": {"nodes": []}}


async def test_websockets_have_their_own_deadlines(hurried: Service) -> None:
    async with socket(hurried) as client:
        await asyncio.sleep(0.5)
        await client.init()
        await asyncio.sleep(0.5)
        assert await client.ask("1", "{ __typename }") == TYPENAME["data"]


NO_HTTP = {
    "words": b"hello\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "zeros": b"\0" * 100,
    "no version": b"GET /graphql\r\n\r\n",
    "a header without a name": b"GET / HTTP/1.1\r\n: x\r\n\r\n",
    "a NUL in a header": b"GET / HTTP/1.1\r\nX: a\0b\r\n\r\n",
    "two lengths": post(b"{}", "Content-Length: 3"),
    "a length and chunks": post(b"{}", "Transfer-Encoding: chunked"),
    "a length that is none": post(b"", "Content-Length: x", length=False),
    "a length past 64 bits": post(b"", f"Content-Length: {'9' * 100}", length=False),
    "no chunk": post(b"xyz\r\n", "Transfer-Encoding: chunked", length=False),
    "a URL that is none": b"GET http://[ HTTP/1.1\r\n\r\n",
    "a URL beyond ASCII": b"GET /\xff HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("name", NO_HTTP)
async def test_what_is_no_http(service: Service, name: str) -> None:
    async with connect(service) as client:
        await client.send(NO_HTTP[name])
        answer = await client.answer()
        assert (answer.status, answer.code()) == (400, "BAD_REQUEST")
        assert answer.headers["connection"] == "close"
        assert answer.headers["cache-control"] == "no-store"
        assert await client.closed()


LARGE_HEADS = {
    "a URL": b"GET /" + b"a" * MIB + b" HTTP/1.1\r\n\r\n",
    "a URL just too long": b"GET /" + b"a" * 65_536 + b" HTTP/1.1\r\n\r\n",
    "a header": b"GET / HTTP/1.1\r\nX: " + b"a" * MIB + b"\r\n\r\n",
    "a header that does not end": b"GET / HTTP/1.1\r\nX: " + b"a" * MIB,
    "a name that does not end": b"GET / HTTP/1.1\r\n" + b"a" * MIB,
    "many headers": b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 100_000 + b"\r\n",
    "trailers": post(b"0\r\n" + b"X: a\r\n" * 100_000, "Transfer-Encoding: chunked", length=False),
    "a trailer that does not end": post(
        b"1\r\n \r\n0\r\nX: " + b"a" * MIB, "Transfer-Encoding: chunked", length=False
    ),
}


@pytest.mark.parametrize("name", LARGE_HEADS)
async def test_heads_have_a_largest_size(service: Service, name: str) -> None:
    async with connect(service) as client:
        sending = asyncio.create_task(client.send(LARGE_HEADS[name]))
        answer = await client.answer()
        assert (answer.status, answer.code()) == (431, "HEADERS_TOO_LARGE")
        assert await client.closed()
        await sending


async def test_a_large_head_passes(service: Service) -> None:
    async with connect(service) as client:
        for _ in range(3):
            await client.send(post(b'{"query":"{__typename}"}', f"X: {'a' * 60_000}"))
            assert (await client.answer()).json() == TYPENAME


@pytest.mark.parametrize("chunked", [True, False])
async def test_twenty_mebibytes(service: Service, chunked: bool) -> None:
    query = b'{"query":"{__typename}' + b" " * 20 * MIB + b'"}'
    if chunked:
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(query), query)
        request = post(body, "Transfer-Encoding: chunked", length=False)
    else:
        request = post(query)
    async with connect(service) as client:
        sending = asyncio.create_task(client.send(request))
        answer = await client.answer()
        assert (answer.status, answer.code()) == (413, "PAYLOAD_TOO_LARGE")
        await sending
        # What was too much is thrown away, and the connection is as good as new.
        await client.send(post())
        assert (await client.answer()).json() == TYPENAME


async def test_a_length_is_believed_before_anything_is_read(service: Service) -> None:
    async with connect(service) as client:
        expecting = ("Content-Length: 99999999", "Expect: 100-continue")
        await client.send(post(b"", *expecting, length=False))
        answer = await client.answer()
        assert (answer.status, answer.code()) == (413, "PAYLOAD_TOO_LARGE")


BROKEN = {
    "in its first line": b"garbage\r\n\r\n",
    "in its head": b"GET / HTTP/1.1\r\nX\r\n\r\n",
    "in its body": post(b"xyz\r\n", "Transfer-Encoding: chunked", length=False),
}


@pytest.mark.parametrize("before", [1, 2, 100])
@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
async def test_what_came_before_is_answered(service: Service, before: int, broken: bytes) -> None:
    async with connect(service) as client:
        await client.send(post() * before + broken)
        for _ in range(before):
            assert (await client.answer()).json() == TYPENAME
        answer = await client.answer()
        assert (answer.status, answer.code()) == (400, "BAD_REQUEST")
        assert await client.closed()


async def test_requests_in_a_row(service: Service) -> None:
    async with connect(service) as client:
        await client.send(post() * 20)
        for _ in range(20):
            assert (await client.answer()).json() == TYPENAME


HANDSHAKE = (
    "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: {version}\r\n{more}\r\n"
)
KEY = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({}, 400, "BAD_REQUEST"),
        ({"more": "Sec-WebSocket-Key: x\r\n"}, 400, "BAD_REQUEST"),
        ({"more": KEY, "version": "12"}, 400, "BAD_REQUEST"),
        ({"more": KEY, "path": "/nothing"}, 404, "NOT_FOUND"),
        ({"more": KEY + "X: y\r\n" * 500}, 431, "HEADERS_TOO_LARGE"),
        ({"more": KEY + f"X: {'y' * 20_000}\r\n"}, 431, "HEADERS_TOO_LARGE"),
    ],
)
async def test_handshakes_that_fail(
    service: Service,
    changed: dict[str, str],
    status: int,
    code: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    given = {"method": "GET", "path": "/graphql", "version": "13", "more": ""} | changed
    async with connect(service) as client:
        # What follows is no request.
        await client.send(HANDSHAKE.format(**given).encode() + GET)
        answer = await client.answer()
        assert (answer.status, answer.code()) == (status, code)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert await client.closed()
    assert [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []


async def test_messages_in_countless_fragments(service: Service) -> None:
    async with socket(service) as client:
        await client.init()
        # Masked by zeros: a text of nothing, continued by nothing, again and again.
        client.connection.transport.write(b"\x01\x80\0\0\0\0" + b"\x00\x80\0\0\0\0" * 100_000)
        assert (await client.closed())[0] == 1009


async def test_whoever_reads_nothing_is_given_up(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "STALLED_SECONDS", 0.1)
    page = await service.client.get("/graphql", headers={"accept": "text/html"})
    script = page.text.partition('src="./assets/')[2].partition('"')[0]
    get = b"GET /assets/%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % script.encode()
    url = service.client.base_url
    before = asyncio.all_tasks()
    with socketlib.socket() as client:
        client.setsockopt(socketlib.SOL_SOCKET, socketlib.SO_RCVBUF, 4_096)
        client.connect((url.host, url.port))
        client.sendall(get * 50)
        for busy in (True, False):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while bool(asyncio.all_tasks() - before) is not busy:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0)


async def test_whoever_reads_slowly_gets_it_all(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "STALLED_SECONDS", 0.5)
    query = b'{"query":"{__schema{types{name description fields{name description}}}}"}'
    async with connect(service) as client:
        for _ in range(3):
            await client.send(post(query))
            await asyncio.sleep(0.1)
        for _ in range(3):
            assert (await client.answer()).json()["data"]["__schema"]

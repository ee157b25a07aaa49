"""Where a request ends: two share a connection, and each gets its own answer, or the first none.

The body of the first, where it has one, is a request of its own. It must never be taken for one.
"""

import asyncio
import re

import pytest

from tests.server.audit.lines import listening
from tests.server.auth.minting import mint
from tests.support.service import ORG, OTHER_ORG, serving
from tests.support.wire import PATIENCE_SECONDS, wire

Told = list[tuple[int, str]]
SECOND = (
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Request-Id: second\r\n\r\n"
)
HIDDEN = SECOND.replace(b"second", b"hidden")

CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN)
BEGINNING = re.compile(rb"HTTP/1\.1 (?!100)\d+ ")
ANSWER = re.compile(rb"HTTP/1\.1 (\d+) [^\r]*\r\n(?:[^\r]+\r\n)*?x-request-id: (\w+)\r\n")
# Without the name of a request: it could not be read.
REFUSED: Told = [(400, "refused")]


def ask(
    *headers: str, start: str = "POST /graphql HTTP/1.1", host: str | None = "localhost"
) -> bytes:
    lines = [start, *([f"Host: {host}"] if host is not None else []), "X-Request-Id: first"]
    lines += ["Content-Type: application/json", *headers, "", ""]
    return "\r\n".join(lines).encode()


def with_length(*headers: str, start: str = "POST /graphql HTTP/1.1") -> bytes:
    return ask(f"Content-Length: {len(HIDDEN)}", *headers, start=start) + HIDDEN


def in_chunks(
    *headers: str, start: str = "POST /graphql HTTP/1.1", coding: str = "chunked"
) -> bytes:
    return ask(f"Transfer-Encoding: {coding}", *headers, start=start) + CHUNKED


def upgrade(to: str = "h2c", connection: str = "Upgrade, HTTP2-Settings") -> tuple[str, ...]:
    key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
    settings = "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"
    named = [f"Upgrade: {each}" for each in to.split(" and ")]
    return (f"Connection: {connection}", *named, settings, key, "Sec-WebSocket-Version: 13")


def trailed(*trailers: str) -> bytes:
    lines = ("0", *trailers, "", "")
    return in_chunks()[: -len(b"0\r\n\r\n")] + "\r\n".join(lines).encode()


GET, HEAD = "GET /healthz HTTP/1.1", "HEAD /healthz HTTP/1.1"
# The bodies are no JSON: they get the endpoint's own 400.
BOTH: Told = [(400, "first"), (200, "second")]
FIRST: Told = [(400, "first")]
BOTH_FOUND: Told = [(200, "first"), (200, "second")]

ANSWERED: dict[str, tuple[bytes, Told]] = {
    "a length": (with_length(), BOTH),
    "chunks": (in_chunks(), BOTH),
    "chunks in capitals": (in_chunks(coding="CHUNKED"), BOTH),
    "another coding, then chunks": (in_chunks(coding="gzip, chunked"), BOTH),
    "a length and an upgrade": (with_length(*upgrade()), BOTH),
    "chunks and an upgrade": (in_chunks(*upgrade()), BOTH),
    "no body and an upgrade": (ask(*upgrade(), start=GET), BOTH_FOUND),
    **{
        f"an upgrade to {to}": (with_length(*upgrade(to)), BOTH)
        for to in ("TLS/1.0", "HTTP/2.0", "h2c, websocket", "websocket, h2c", "websocketx", "", ",")
    },
    "two upgrades": (with_length(*upgrade("h2c and websocket")), BOTH),
    "two upgrades, the other way": (with_length(*upgrade("websocket and h2c")), BOTH),
    "an upgrade twice": (with_length(*upgrade("websocket and websocket")), BOTH),
    "an upgrade that is not wanted": (with_length(*upgrade(connection="keep-alive")), BOTH),
    "an upgrade, wanted in a line of its own": (
        with_length(*upgrade(connection="Upgrade"), "Connection: keep-alive"),
        BOTH,
    ),
    "an upgrade and an end": (with_length(*upgrade(connection="close, Upgrade")), FIRST),
    "a WebSocket by POST": (with_length(*upgrade("websocket")), BOTH),
    "a WebSocket by POST, in chunks": (in_chunks(*upgrade("websocket")), BOTH),
    "a WebSocket with a length": (
        with_length(*upgrade("websocket"), start=GET),
        BOTH_FOUND,
    ),
    "a WebSocket with chunks": (in_chunks(*upgrade("websocket"), start=GET), BOTH_FOUND),
    "a WebSocket that is not wanted": (
        with_length(*upgrade("websocket", "keep-alive"), start=GET),
        BOTH_FOUND,
    ),
    "a WebSocket by HTTP/1.0": (
        with_length(*upgrade("websocket"), start="GET /healthz HTTP/1.0"),
        [(200, "first")],
    ),
    "a GET with a length": (with_length(start=GET), BOTH_FOUND),
    "a GET with chunks": (in_chunks(start=GET), BOTH_FOUND),
    "a HEAD with a length": (with_length(start=HEAD), BOTH_FOUND),
    "a HEAD with chunks": (in_chunks(start=HEAD), BOTH_FOUND),
    "a DELETE with a length": (
        with_length(start="DELETE /graphql HTTP/1.1"),
        [(405, "first"), (200, "second")],
    ),
    "an upgrade by HEAD": (with_length(*upgrade(), start=HEAD), BOTH_FOUND),
    "a body that is waited for": (with_length("Expect: 100-continue"), BOTH),
    "a body that is not waited for": (
        ask("Content-Length: 999999999", "Expect: 100-continue"),
        [(413, "first")],
    ),
    "an upgrade, and a body that is waited for": (
        with_length(*upgrade(), "Expect: 100-continue"),
        BOTH,
    ),
    **{
        f"{trailer!r} for a trailer": (trailed(trailer), BOTH)
        for trailer in (
            "X: y",
            "X-Request-Id: hidden",
            "Host: elsewhere",
            "Expect: 100-continue",
            "Connection: close",
            "Upgrade: h2c",
            "Content-Type: text/plain",
        )
    },
    "an upgrade among the trailers": (trailed(*upgrade()), BOTH),
    "an extension of a chunk": (
        ask("Transfer-Encoding: chunked") + CHUNKED.replace(b"\r\n", b';a="b"\r\n', 1),
        BOTH,
    ),
    "the connection's end": (with_length("Connection: close"), FIRST),
    "HTTP/1.0": (with_length(start="POST /graphql HTTP/1.0"), FIRST),
    "HTTP/1.0 that would stay": (
        with_length("Connection: keep-alive", start="POST /graphql HTTP/1.0"),
        FIRST,
    ),
    "an empty line after the body": (with_length() + b"\r\n", BOTH),
    "a name in other letters": (
        ask("Transfer_Encoding: chunked", f"Content-Length: {len(HIDDEN)}") + HIDDEN,
        BOTH,
    ),
    "HEAD of HTTP/1.0": (with_length(start="HEAD /healthz HTTP/1.0"), [(200, "first")]),
    "no name of a host": (ask(start=GET, host=""), [(421, "first"), (200, "second")]),
}

UNCLEAR: dict[str, bytes] = {
    "a length and chunks": with_length("Transfer-Encoding: chunked"),
    "chunks and a length": in_chunks(f"Content-Length: {len(CHUNKED)}"),
    "a length, chunks and an upgrade": with_length("Transfer-Encoding: chunked", *upgrade()),
    **{
        f"{coding!r} for a coding": in_chunks(coding=coding)
        for coding in (
            "gzip",
            "identity",
            "chunked, gzip",
            "chunked, identity",
            "xchunked",
            "chunkedx",
            "chunked;x",
            '"chunked"',
            "\x0bchunked",
            "",
        )
    },
    "a length, then a coding that is none": with_length("Transfer-Encoding: x"),
    "two codings": in_chunks("Transfer-Encoding: identity"),
    "two lengths": with_length("Content-Length: 3"),
    "a length twice": with_length(f"Content-Length: {len(HIDDEN)}"),
    **{
        f"{length!r} for a length": ask(f"Content-Length: {length}") + HIDDEN
        for length in ("3, 3", "+3", "-3", "0x3", "3 3", "3\t3", "", "3.0", "1e1", "9" * 30)
    },
    **{
        f"{size!r} for the size of a chunk": ask("Transfer-Encoding: chunked")
        + f"{size}\r\nabc\r\n0\r\n\r\n".encode()
        for size in ("0x3", "+3", "-3", " 3", "g", "", "3\n", "f" * 17, "3;a\nb", "2", "4")
    },
    "no size of a chunk, in a body that is waited for": ask(
        "Transfer-Encoding: chunked", "Expect: 100-continue"
    )
    + HIDDEN,
    "no size of a chunk": ask("Transfer-Encoding: chunked") + HIDDEN,
    "lines that end with a line feed": ask("Content-Length: 0").replace(b"\r\n", b"\n"),
    "a line that ends with a line feed": ask("X: y\nContent-Length: 3"),
    "a line that ends with a carriage return": ask("X: y\rContent-Length: 3"),
    "a header that goes on": ask("X: y", " Content-Length: 3"),
    "a coding that goes on": ask("Transfer-Encoding:", " chunked") + CHUNKED,
    "a space before the colon": ask("Content-Length : 3") + b"abc",
    "a space before the name": ask(" Content-Length: 3") + b"abc",
    "a line without a colon": ask("Content-Length"),
    "a NUL": ask("X: a\0b"),
    "no host": ask(start=GET, host=None),
    "two hosts": ask("Host: localhost", start=GET),
    "two hosts, of HTTP/1.0": ask("Host: localhost", start="GET /healthz HTTP/1.0"),
    **{
        f"{host!r} for a host": ask(start=GET, host=host)
        for host in ("a b", "a/b", "a@b", "http://a", "a:x", "[::1", "a, b", "ä", "a?b", "a\tb")
    },
    "a tunnel": ask(start="CONNECT localhost:443 HTTP/1.1"),
    "a tunnel to a path": ask(*upgrade(), start="CONNECT /healthz HTTP/1.1"),
    **{
        f"version {version}": ask(start=f"GET /healthz {version}")
        for version in ("HTTP/2.0", "HTTP/3.0", "HTTP/1.2", "HTTP/0.9", "HTTP/1", "http/1.1", "")
    },
    "chunks in HTTP/1.0": in_chunks(start="POST /graphql HTTP/1.0"),
    "a length among the trailers": trailed("Content-Length: 3"),
    "a coding among the trailers": trailed("Transfer-Encoding: chunked"),
    "a URL with a space": ask(start="GET /health z HTTP/1.1"),
}


async def told(port: int, sent: bytes, piece: int) -> Told:
    """Send bytes, in pieces; get the status of each answer, and which request it names."""
    async with wire("127.0.0.1", port) as line:
        sending = asyncio.create_task(_send(sent, piece, line.writer))
        async with asyncio.timeout(PATIENCE_SECONDS):
            got = await line.reader.read()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    assert len(BEGINNING.findall(got)) == len(ANSWER.findall(got))
    ours = {b"first", b"second", b"hidden"}
    return [
        (int(status), id_.decode() if id_ in ours else "refused")
        for status, id_ in ANSWER.findall(got)
    ]


async def _send(sent: bytes, piece: int, writer: asyncio.StreamWriter) -> None:
    for start in range(0, len(sent), piece):
        writer.write(sent[start : start + piece])
        await writer.drain()
        await asyncio.sleep(0)


@pytest.mark.parametrize("piece", [1, 100, 100_000])
@pytest.mark.parametrize("name", ANSWERED)
async def test_each_gets_its_own_answer(port: int, name: str, piece: int) -> None:
    request, due = ANSWERED[name]
    assert await told(port, request + SECOND, piece) == due


@pytest.mark.parametrize("piece", [1, 100, 100_000])
@pytest.mark.parametrize("name", UNCLEAR)
async def test_what_is_unclear_is_refused(port: int, name: str, piece: int) -> None:
    assert await told(port, UNCLEAR[name] + SECOND, piece) == REFUSED


QUERY = b'{"query":"{viewer{orgId}}"}'
TRAILERS = (f"Joblens-Org: {OTHER_ORG}", "X-Forwarded-For: 203.0.113.7", "Authorization: %s")


def with_trailers(authorization: str) -> bytes:
    trailers = "\r\n".join(TRAILERS).encode() % authorization.encode()
    body = b"%x\r\n%s\r\n0\r\n%s\r\n\r\n" % (len(QUERY), QUERY, trailers)
    return ask("Transfer-Encoding: chunked") + body


async def test_trailers_are_no_credentials(database_url: str) -> None:
    minted = await mint(database_url)
    with listening() as lines:
        async with serving(database_url, auth="token", proxies="127.0.0.1") as service:
            port = service.client.base_url.port or 0
            both = await told(port, with_trailers(minted.bearer) + SECOND, 100_000)
            assert both == [(401, "first"), (200, "second")]
            (line,) = lines.take()
    assert (line["code"], line["client"]) == ("UNAUTHENTICATED", "127.0.0.1")


async def test_trailers_choose_no_organisation(port: int) -> None:
    async with wire("127.0.0.1", port) as line:
        await line.send(with_trailers("Bearer x"))
        assert (await line.answer()).json() == {"data": {"viewer": {"orgId": ORG}}}

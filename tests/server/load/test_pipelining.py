"""Requests sent ahead of the answers: few are taken in, and each is answered in its turn."""

import asyncio
import re
import socket as sockets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from server.uvicorn.http_protocol import HttpProtocol
from server.uvicorn.request_reader import PARSED_AT_ONCE_BYTES
from tests.resolvers.live.clients import PATIENCE_SECONDS
from tests.resolvers.live.rest import back_to_rest
from tests.support.service import Service, serving
from tests.support.wire import post

MIB = 2**20
# The most that an event loop reads at once.
READ_BYTES = 2**18
SHORTEST = b"GET / HTTP/1.1\r\nHost:\r\n\r\n"
MANY = 1_500
LONG_ANSWER = b'{"query":"{__schema{types{description fields{description}}}}"}'
ANSWERED = re.compile(rb"x-request-id: (\d+)\r\n")


@dataclass
class Taken:
    """What the server has taken in of all that was sent: in all, and at most at once."""

    bytes: int = 0
    requests_waiting: int = 0
    bytes_waiting: int = 0


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[Service]:
    async with serving(database_url) as running:
        yield running


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Taken:
    taken = Taken()
    receive = HttpProtocol.data_received

    def count(self: HttpProtocol, data: bytes) -> None:
        receive(self, data)
        taken.bytes += len(data)
        taken.requests_waiting = max(taken.requests_waiting, len(self.pipeline))
        taken.bytes_waiting = max(taken.bytes_waiting, len(self._unread))

    monkeypatch.setattr(HttpProtocol, "data_received", count)
    return taken


def get(number: int, *headers: str) -> bytes:
    lines = [
        "GET /healthz HTTP/1.1",
        "Host: localhost",
        f"X-Request-Id: {number}",
        *headers,
        "",
        "",
    ]
    return "\r\n".join(lines).encode()


FLOODS = {
    "short ones": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "the shortest": SHORTEST,
    "operations": post(),
    "upgrades": get(0, "Connection: Upgrade", "Upgrade: h2c"),
}


@asynccontextmanager
async def connected(service: Service) -> AsyncIterator[sockets.socket]:
    """Open a connection on which nothing is read by itself."""
    url = service.client.base_url
    with sockets.socket() as client:
        client.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4_096)
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, (url.host, url.port))
        yield client


@asynccontextmanager
async def sent_without_reading(
    client: sockets.socket, sent: bytes, taken: Taken
) -> AsyncIterator["asyncio.Task[None]"]:
    """Send, until the server takes no more; go on with it meanwhile."""
    sending = asyncio.create_task(asyncio.get_running_loop().sock_sendall(client, sent))
    before = -1
    while before < taken.bytes and not sending.done():
        before = taken.bytes
        await asyncio.sleep(0.5)
    yield sending
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
async def test_a_client_that_reads_nothing_is_not_read(
    service: Service, database_url: str, taken: Taken, flood: bytes
) -> None:
    sent = flood * (40 * MIB // len(flood))
    async with (
        back_to_rest(service, database_url),
        connected(service) as client,
        sent_without_reading(client, sent, taken) as sending,
    ):
        assert not sending.done()
        assert 0 < taken.bytes < 4 * MIB
        assert taken.requests_waiting <= PARSED_AT_ONCE_BYTES // len(SHORTEST) + 1
        assert taken.bytes_waiting <= READ_BYTES


async def test_a_client_that_reads_late_gets_all_answers_in_order(
    service: Service, taken: Taken
) -> None:
    sent = b"".join(map(numbered, range(MANY)))
    last = b"x-request-id: %d\r\n" % (MANY - 1)
    got = bytearray()
    async with (
        connected(service) as client,
        sent_without_reading(client, sent, taken),
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        assert taken.bytes < len(sent) / 2
        while last not in got[-READ_BYTES:]:
            got += await asyncio.get_running_loop().sock_recv(client, READ_BYTES // 2)
    assert [int(number) for number in ANSWERED.findall(got)] == [*range(MANY)]
    assert got.count(b"HTTP/1.1 200 OK") == MANY


def numbered(number: int) -> bytes:
    """Write one of several kinds of requests."""
    id_ = f"X-Request-Id: {number}"
    padding = f"X-Padding: {'x' * 4_000}"
    if number % 3 == 0:
        return get(number, padding, "Connection: Upgrade", "Upgrade: h2c")
    return post(LONG_ANSWER, id_, padding) if number % 3 == 1 else get(number, padding)

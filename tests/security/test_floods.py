"""Floods of tiny frames and of strangers: they get their turns, and no memory."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from server.auth.token_auth import CACHE_SIZE, CONCURRENT_LOOKUPS, TokenAuthenticator
from server.auth.token_format import new_token
from server.uvicorn.websocket_protocol import READ_AT_ONCE_BYTES, WebSocketProtocol
from tests.resolvers.live.clients import COUNTS, socket
from tests.resolvers.live.rest import back_to_rest
from tests.security.entrances import logged
from tests.server.auth.minting import mint
from tests.support.patience import PATIENCE_SECONDS
from tests.support.service import ORG, Service, serving
from tests.support.wire import Wire, wire

HANDSHAKE = b"""GET /graphql HTTP/1.1\r
Host: localhost\r
Connection: Upgrade\r
Upgrade: websocket\r
Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r
Sec-WebSocket-Version: 13\r
Sec-WebSocket-Protocol: graphql-transport-ws\r
\r
"""
TEXT, PING = 0x81, 0x89


def frame(kind: int, payload: bytes) -> bytes:
    """Write a client's frame, masked by zeros."""
    return bytes([kind, 0x80 | len(payload)]) + bytes(4) + payload


MANY = 20_000
FLOODS = {
    "pings of the application": frame(TEXT, b'{"type":"ping"}'),
    "pings of the protocol": frame(PING, b""),
    "pongs": frame(TEXT, b'{"type":"pong"}'),
    "completions": frame(TEXT, b'{"id":"x","type":"complete"}'),
}


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[Service]:
    async with serving(database_url, auth="token") as running:
        yield running


async def begun(service: Service, line: Wire) -> None:
    """Open a WebSocket without a word of who asks."""
    await line.send(HANDSHAKE)
    assert (await line.answer()).status == 101


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
async def test_a_flood_of_frames_takes_turns(
    service: Service, monkeypatch: pytest.MonkeyPatch, flood: bytes
) -> None:
    """However many a stranger sends at once: in a turn of the loop so many bytes, and no more."""
    by_turn: Counter[int] = Counter()
    turn = 0

    def counted(name: str) -> None:
        handle = getattr(WebSocketProtocol, name)

        def count(self: WebSocketProtocol, *args: Any) -> None:
            by_turn[turn] += 1
            handle(self, *args)

        monkeypatch.setattr(WebSocketProtocol, name, count)

    counted("handle_text")
    counted("handle_ping")
    async with wire("127.0.0.1", service.client.base_url.port or 0) as line:
        await begun(service, line)
        reading = asyncio.create_task(line.reader.read(-1))
        sending = asyncio.create_task(line.send(flood * MANY))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while by_turn.total() < MANY:
                turn += 1
                await asyncio.sleep(0)
        await sending
        reading.cancel()
    assert max(by_turn.values()) <= READ_AT_ONCE_BYTES // len(flood) + 1


async def test_answers_that_nobody_reads_are_not_kept(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    protocols: list[WebSocketProtocol] = []
    handle = WebSocketProtocol.handle_ping

    def kept(self: WebSocketProtocol) -> None:
        protocols.append(self)
        handle(self)

    monkeypatch.setattr(WebSocketProtocol, "handle_ping", kept)
    async with wire("127.0.0.1", service.client.base_url.port or 0) as line:
        await begun(service, line)
        count = 150_000
        sending = asyncio.create_task(line.send(frame(PING, bytes(120)) * count))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(protocols) < count:  # noqa: ASYNC110 - there is nothing to wait on
                await asyncio.sleep(0.01)
        await sending
        assert protocols[0].transport.get_write_buffer_size() < 2**18


async def test_a_frame_in_pieces_and_large_ones_arrive(service: Service, database_url: str) -> None:
    minted = await mint(database_url)
    async with socket(service) as client:
        await client.init({"token": minted.text})
        for size in (1, READ_AT_ONCE_BYTES - 1, READ_AT_ONCE_BYTES, 900_000):
            await client.send({"type": "ping", "payload": {"x": "y" * size}})
            assert await client.receive() == {"type": "pong", "payload": {"x": "y" * size}}
        for n in range(300):
            await client.send({"type": "ping", "payload": {"n": n}})
        told = [(await client.receive())["payload"]["n"] for _ in range(300)]
        assert told == list(range(300))


async def test_a_churn_of_subscriptions_leaves_nothing(service: Service, database_url: str) -> None:
    minted = await mint(database_url)
    async with back_to_rest(service, database_url), socket(service) as client:
        with logged():
            await client.init({"token": minted.text})
            for n in range(200):
                await client.subscribe(str(n), COUNTS)
                await client.send({"id": str(n), "type": "complete"})
            await client.send({"type": "ping"})
            while (await client.receive())["type"] != "pong":
                pass
    assert len(service.state.admission.subscriptions) == 0
    assert len(service.state.admission.requests) == 0


async def asked(service: Service, token: str) -> int:
    headers = {"authorization": f"Bearer {token}"}
    answer = await service.client.post(
        "/graphql", json={"query": "{ __typename }"}, headers=headers
    )
    return answer.status_code


async def test_strangers_cost_little(service: Service) -> None:
    unknown = new_token(UUID(ORG))
    with service.recorded() as statements:
        for n in range(50):
            # What cannot be a token is not even looked up.
            assert await asked(service, f"jl_{n}") == 401
        assert statements == []
        for _ in range(20):
            assert await asked(service, unknown) == 401
    assert len(statements) <= 2


async def test_strangers_are_forgotten(service: Service) -> None:
    authenticator = service.state.authenticator
    assert isinstance(authenticator, TokenAuthenticator)
    tokens = [new_token(UUID(ORG)) for _ in range(40)]
    assert set(await asyncio.gather(*(asked(service, token) for token in tokens))) == {401}
    assert authenticator._lookups == {}
    remembered = authenticator._unknown
    for n in range(CACHE_SIZE + 5):
        remembered[n.to_bytes(4)] = None
    assert len(remembered) == CACHE_SIZE


async def test_who_is_known_does_not_wait_behind_strangers(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.auth.token_auth.CACHE_SECONDS", 0.0)
    async with serving(database_url, auth="token") as service:
        minted = await mint(database_url)
        assert await asked(service, minted.text) == 200
        authenticator = service.state.authenticator
        assert isinstance(authenticator, TokenAuthenticator)
        # As if strangers' tokens were being looked up, as many at once as may be.
        for stranger in range(CONCURRENT_LOOKUPS):
            authenticator._first_lookups.request(stranger)
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await asked(service, minted.text) == 200


@pytest.mark.parametrize("query", ["mutation { __typename }", COUNTS])
async def test_what_was_read_for_nothing_costs_a_point(database_url: str, query: str) -> None:
    async with serving(database_url, auth="token", rate_points_per_minute="2") as service:
        headers = {"authorization": (await mint(database_url)).bearer, "accept": "application/json"}
        told = [
            (
                await service.client.get("/graphql", params={"query": query}, headers=headers)
            ).status_code
            for _ in range(3)
        ]
    assert told == [told[0], told[0], 429]
    assert told[0] in {405, 406}

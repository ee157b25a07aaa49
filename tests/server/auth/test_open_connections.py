"""Tokens on connections that stay open: how they get in, and that they end when their token does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import asyncpg
import httpx
import pytest

from server.auth.revocation import INTERVAL_SECONDS
from tests.conftest import FreshDatabase
from tests.resolvers.live.clients import COUNTS, socket, stream
from tests.resolvers.live.rest import until_someone_waits
from tests.server.auth.minting import Minted, mint, revoke
from tests.support.patience import PATIENCE_SECONDS
from tests.support.processes import command_running
from tests.support.service import ORG, OTHER_ORG, Service, serving

VIEWER = "{ viewer { orgId subject } }"


@pytest.fixture(scope="module")
async def minted(database_url: str) -> Minted:
    return await mint(database_url, name="watcher")


def payloads(minted: Minted) -> list[tuple[dict[str, Any], dict[str, str]]]:
    """The ways in which a WebSocket may show its token: payload, and headers."""
    return [
        ({"Authorization": minted.bearer}, {}),
        ({"authorization": minted.bearer}, {}),
        ({"token": minted.text}, {}),
        ({}, {"Authorization": minted.bearer}),
        ({"Authorization": minted.bearer, "Joblens-Org": ORG}, {"Authorization": "Basic dTpw"}),
    ]


async def test_a_websocket_with_a_token(service: Service, minted: Minted) -> None:
    for payload, headers in payloads(minted):
        async with socket(service, **headers) as client:
            await client.init(payload)
            viewer = (await client.ask("1", VIEWER))["viewer"]
            assert viewer == {"orgId": ORG, "subject": "watcher"}


@pytest.mark.parametrize("payload", [None, {}, {"Joblens-Org": ORG}])
async def test_a_websocket_without_a_token(service: Service, payload: Any) -> None:
    async with socket(service) as client:
        await client.send({"type": "connection_init", "payload": payload})
        assert await client.closed() == (4401, "Unauthorized")


NO_TEXT: list[Any] = [0, 5, 1.5, True, False, [], {}, ["jl_x"], {"token": "jl_x"}]


@pytest.mark.parametrize(
    "payload",
    [
        {"Authorization": "Bearer jl_x"},
        {"Authorization": "Basic dTpw"},
        {"token": "jl_x"},
        {"token": ""},
        {"token": "x y"},
        *({name: value} for name in ("Authorization", "token", "Token") for value in NO_TEXT),
    ],
)
async def test_a_websocket_with_a_wrong_token(
    service: Service, minted: Minted, payload: Any
) -> None:
    # What the payload says counts, whatever the header says.
    async with socket(service, Authorization=minted.bearer) as client:
        await client.send({"type": "connection_init", "payload": payload})
        assert await client.closed() == (4403, "Forbidden")


@pytest.mark.parametrize("value", NO_TEXT)
async def test_a_good_token_beside_a_wrong_one(
    service: Service, minted: Minted, value: Any
) -> None:
    for payload in (
        {"token": value, "Authorization": minted.bearer},
        {"token": minted.text, "Authorization": value},
        {"token": minted.text, "Joblens-Org": value},
    ):
        async with socket(service, Authorization=minted.bearer, Joblens_Org=ORG) as client:
            await client.send({"type": "connection_init", "payload": payload})
            assert (await client.closed())[0] == 4403


async def test_a_websocket_that_names_another_organisation(
    service: Service, minted: Minted
) -> None:
    async with socket(service) as client:
        payload = {"token": minted.text, "Joblens-Org": OTHER_ORG}
        await client.send({"type": "connection_init", "payload": payload})
        code, reason = await client.closed()
        assert (code, "Joblens-Org" in reason) == (4403, True)


async def test_a_websocket_that_subscribes_before_it_shows_its_token(service: Service) -> None:
    async with socket(service) as client:
        await client.subscribe("1", COUNTS)
        assert await client.closed() == (4401, "Unauthorized")


async def assert_ends(events: Any) -> None:
    """See that a stream of events ends with the one error there is for that."""
    name, body = await events.event()
    while name == "next" and "errors" not in body:
        name, body = await events.event()
    (error,) = body["errors"]
    assert error["extensions"] == {"code": "UNAUTHENTICATED"}
    assert await events.event() == ("complete", None)
    assert await events.ended()


async def test_an_expired_token_ends_what_it_opened(service: Service, database_url: str) -> None:
    minted = await mint(database_url, expires=timedelta(seconds=3))
    lasting = await mint(database_url)
    async with (
        stream(service, COUNTS, Authorization=minted.bearer) as events,
        stream(service, COUNTS, Authorization=lasting.bearer) as others,
        socket(service) as client,
        socket(service) as idle,
    ):
        await client.init({"token": minted.text})
        await client.subscribe("1", COUNTS)
        assert (await client.receive())["type"] == "next"
        await idle.init({"token": minted.text})
        assert (await others.event())[0] == "next"
        await assert_ends(events)
        for each in (client, idle):
            assert await each.closed() == (4403, "The token has expired or was revoked")
        # Nobody else is ended.
        await service.query(
            'mutation { createJob(input: {type: "x"}) { __typename } }',
            Authorization=lasting.bearer,
        )
        assert (await others.event())[0] == "next"


@asynccontextmanager
async def slow_organisation(url: str, org: str) -> AsyncIterator[None]:
    """Let whatever is asked of this organisation's tokens take for ever."""
    owner, holder = await asyncpg.connect(url), await asyncpg.connect(url)
    await holder.execute("SELECT pg_advisory_lock(17)")
    waits = "pg_advisory_xact_lock_shared(17) IS NOT NULL"
    await owner.execute(
        f"CREATE POLICY slow ON token AS RESTRICTIVE USING (org_id <> '{org}' OR {waits})"
    )
    yield
    await holder.close()
    await owner.execute("DROP POLICY slow ON token")
    await owner.close()


async def test_no_organisation_waits_for_another(fresh_database: FreshDatabase) -> None:
    url = await fresh_database()
    slow, fine = [await mint(url, org=org) for org in (ORG, OTHER_ORG)]
    expiring = [await mint(url, org=org, expires=timedelta(seconds=6)) for org in (ORG, OTHER_ORG)]
    async with (
        AsyncExitStack() as stack,
        serving(url, auth="token", statement_timeout_seconds="600") as service,
    ):
        clients = []
        for minted in (slow, fine, *expiring):
            client = await stack.enter_async_context(socket(service))
            clients.append(await client.init({"token": minted.text}))
        async with slow_organisation(url, ORG):
            await revoke(url, fine)
            for client in (clients[1], *clients[2:]):
                assert (await client.closed())[0] == 4403
            # A new one signs in, too.
            async with socket(service) as client:
                await client.init({"token": (await mint(url, org=OTHER_ORG)).text})
            await until_someone_waits(url)
            await clients[0].send({"type": "ping"})
            assert await clients[0].receive() == {"type": "pong"}
        await revoke(url, slow)
        assert (await clients[0].closed())[0] == 4403


async def test_while_nobody_can_tell_nobody_is_ended(fresh_database: FreshDatabase) -> None:
    url = await fresh_database()
    minted = await mint(url)
    owner = await asyncpg.connect(url)
    async with serving(url, auth="token") as service, socket(service) as client:
        await client.init({"token": minted.text})
        await owner.execute("ALTER TABLE token RENAME TO away")
        # Time for a look that fails.
        await asyncio.sleep(1.5 * INTERVAL_SECONDS)
        await client.send({"type": "ping"})
        assert await client.receive() == {"type": "pong"}
        await owner.execute("ALTER TABLE away RENAME TO token")
        await revoke(url, minted)
        assert (await client.closed())[0] == 4403
    await owner.close()


@asynccontextmanager
async def processes(database_url: str, count: int) -> AsyncIterator[list[Service]]:
    """Run `joblens serve` several times, each a process of its own."""
    async with AsyncExitStack() as stack:
        services = []
        for _ in range(count):
            _, base = await stack.enter_async_context(command_running(database_url, auth="token"))
            client = httpx.AsyncClient(base_url=base, timeout=PATIENCE_SECONDS, verify=False)
            await stack.enter_async_context(client)
            running = SimpleNamespace(client=client)
            services.append(cast("Service", running))
        yield services


async def test_a_revoked_token_stops_on_every_process(database_url: str) -> None:
    minted = await mint(database_url)
    async with processes(database_url, 2) as services, AsyncExitStack() as stack:
        streams, sockets = [], []
        for service in services:
            events = stream(service, COUNTS, Authorization=minted.bearer)
            streams.append(await stack.enter_async_context(events))
            assert (await streams[-1].event())[0] == "next"
            sockets.append(await stack.enter_async_context(socket(service)))
            await sockets[-1].init({"token": minted.text})
            await sockets[-1].subscribe("1", COUNTS)
            assert (await sockets[-1].receive())["type"] == "next"
            assert await statuses(service, minted) == {200}

        await revoke(database_url, minted)

        for events in streams:
            await assert_ends(events)
        for client in sockets:
            assert (await client.closed())[0] == 4403
        async with asyncio.timeout(PATIENCE_SECONDS):
            for service in services:
                while await statuses(service, minted) != {401}:  # noqa: ASYNC110 - it is another process
                    await asyncio.sleep(0.05)


async def statuses(service: Service, minted: Minted) -> set[int]:
    """Ask by POST and by GET."""
    headers = {"authorization": minted.bearer}
    asked = await service.client.post("/graphql", json={"query": VIEWER}, headers=headers)
    got = await service.client.get("/graphql", params={"query": VIEWER}, headers=headers)
    return {asked.status_code, got.status_code}


async def test_nothing_runs_on_when_nobody_is_connected(service: Service, minted: Minted) -> None:
    connections = service.state.connections
    async with socket(service) as client:
        await client.init({"token": minted.text})
        assert connections._open
        assert connections._task is not None
    async with asyncio.timeout(PATIENCE_SECONDS):
        while connections._task is not None:  # noqa: ASYNC110 - there is nothing to wait on
            await asyncio.sleep(0.05)
    assert not connections._open

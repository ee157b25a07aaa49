"""Queries are answered by the replica if it has what their viewer has seen; else by the primary."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from sqlalchemy import event

from db.embedded import programs
from tests.resolvers.live.clients import EVENTS
from tests.resolvers.live.clients import socket as live_socket
from tests.support.background import until
from tests.support.service import Service, serving
from tests.support.standby import Pair
from tests.support.statements import recorded

CREATE = 'mutation { createJob(input: {type: "t"}) { __typename } }'
COUNT = "{ jobs { count { value } } }"
BAD = [("header", "nonsense"), ("header", "1/2/3"), ("header", "G/1"), ("extension", 7)]


@pytest.fixture
async def service(pair: Pair) -> AsyncIterator[Service]:
    async with serving(pair.primary, replica_url=pair.standby, live_poll_seconds="0.2") as running:
        await until_used(running)
        yield running


def replica(service: Service) -> Any:
    found = service.state.servers.replica
    assert found is not None
    return found


async def until_used(service: Service, *, used: bool = True) -> None:
    async def is_so() -> bool:
        return replica(service).is_usable is used

    await until(is_so)


async def servers_of(service: Service, query: str = COUNT, **headers: str) -> tuple[int, int]:
    """Count the statements of a query on the primary and on the replica."""
    with service.recorded() as on_primary, recorded(replica(service).engine) as on_replica:
        await service.query(query, **headers)
        # Samples are not the query's.
        each = [
            len([sql for sql in statements if "pg_" not in sql])
            for statements in (on_primary, on_replica)
        ]
    return each[0], each[1]


async def count(service: Service, **headers: str) -> int:
    found: int = (await service.query(COUNT, **headers))["jobs"]["count"]["value"]
    return found


@asynccontextmanager
async def paused(pair: Pair) -> AsyncIterator[None]:
    """Keep the standby from replaying."""
    connection = await asyncpg.connect(pair.standby)
    try:
        await connection.execute("SELECT pg_wal_replay_pause()")
        yield
        await connection.execute("SELECT pg_wal_replay_resume()")
    finally:
        await connection.close()


async def test_a_query_goes_to_the_replica(service: Service) -> None:
    assert await servers_of(service) == (0, 1)


async def test_a_mutation_goes_to_the_primary(service: Service) -> None:
    with recorded(replica(service).engine) as statements:
        await service.query(CREATE)
    assert not [sql for sql in statements if "pg_" not in sql]


async def test_a_viewer_sees_what_it_wrote(pair: Pair, service: Service) -> None:
    async with paused(pair):
        before = await count(service)
        await service.query(CREATE)
        assert await count(service) == before + 1
        assert await servers_of(service) == (1, 0)

    async def is_back() -> bool:
        return await servers_of(service) == (0, 1)

    await until(is_back)
    assert await count(service) == before + 1


async def test_the_position_of_a_mutation(pair: Pair, service: Service) -> None:
    """Another process, which knows nothing of the write, is given its position."""
    async with serving(pair.primary, replica_url=pair.standby) as other:
        await until_used(other)
        async with paused(pair):
            before = await count(other)
            answer = await service.post(CREATE)
            position = answer.headers["Joblens-Position"]
            assert answer.json()["extensions"]["position"] == position
            assert await count(other) == before
            assert await count(other, Joblens_Position=position) == before + 1
            body = {"query": COUNT, "extensions": {"position": position}}
            seen = (await other.client.post("/graphql", json=body)).json()
            assert seen["data"]["jobs"]["count"]["value"] == before + 1

        async def is_back() -> bool:
            return await servers_of(other, Joblens_Position=position) == (0, 1)

        await until(is_back)


async def test_a_viewer_sees_what_it_was_sent(pair: Pair, service: Service) -> None:
    async with live_socket(service) as client, paused(pair):
        await client.init()
        await client.subscribe("1", EVENTS)
        before = (await client.ask("2", COUNT))["jobs"]["count"]["value"]
        async with serving(pair.primary) as other:
            await other.query(CREATE)
        await client.receive()
        assert await count(service) == before + 1


@pytest.mark.parametrize(("where", "position"), BAD)
async def test_a_position_that_is_none(service: Service, where: str, position: Any) -> None:
    headers = {"Joblens-Position": position} if where == "header" else {}
    body: dict[str, Any] = {"query": COUNT}
    if where == "extension":
        body["extensions"] = {"position": position}
    answer = await service.client.post("/graphql", json=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_a_replica_that_lags(pair: Pair) -> None:
    settings = {"replica_url": pair.standby, "replica_max_lag_seconds": "0.9"}
    async with serving(pair.primary, **settings) as service:
        await until_used(service)
        async with paused(pair), serving(pair.primary) as other:
            await other.query(CREATE)
            await until_used(service, used=False)
            assert await servers_of(service) == (1, 0)
            body = (await service.client.get("/readyz")).json()
            assert body["status"] == "ready"
            assert body["replica"]["is_used"] is False
            assert body["replica"]["lag_seconds"] > 0.9
        await until_used(service)


async def test_an_idle_primary_is_no_lag(service: Service) -> None:
    await asyncio.sleep(2)
    assert replica(service).lag_seconds < 2


async def test_a_conflict_with_replay(pair: Pair, service: Service) -> None:
    """Between two statements of a query, the standby ends its transaction to replay a lock."""
    before = await count(service)
    lines = []

    def conflict(_connection: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
        if "pg_" not in sql:
            lines.append(sql)
            if len(lines) == 2:
                with ThreadPoolExecutor(1) as pool:
                    pool.submit(asyncio.run, lock(pair)).result()

    event.listen(replica(service).engine.sync_engine, "before_cursor_execute", conflict)
    data = await service.query("{ jobs { count { value } } statusCounts { count { value } } }")
    assert len(lines) == 2
    assert data["jobs"]["count"]["value"] == before
    assert sum(each["count"]["value"] for each in data["statusCounts"]) == before


async def lock(pair: Pair) -> None:
    """Lock the jobs on the primary, and wait until the standby has replayed that."""
    primary, standby = await asyncpg.connect(pair.primary), await asyncpg.connect(pair.standby)
    try:
        await primary.execute("BEGIN; LOCK TABLE job IN ACCESS EXCLUSIVE MODE; COMMIT")
        position = await primary.fetchval("SELECT pg_current_wal_insert_lsn()::text")
        replayed = f"SELECT pg_last_wal_replay_lsn() >= '{position}'"
        while not await standby.fetchval(replayed):  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.01)
    finally:
        await primary.close()
        await standby.close()


async def test_a_replica_that_is_killed(pair: Pair, service: Service) -> None:
    before = await count(service)
    programs.run(
        "pg_ctl",
        "stop",
        f"--pgdata={pair.standby_data}",
        "--mode=immediate",
        cluster=pair.standby_data,
    )
    # Each of these is answered, the first after its connection was lost.
    for _ in range(3):
        assert await count(service) == before
    await until_used(service, used=False)
    assert (await service.client.get("/readyz")).json()["replica"]["is_used"] is False

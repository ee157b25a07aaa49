"""Requests that are stopped: their time is up, or nobody waits. The database hears of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy.pool import QueuePool

from server.limits.deadline import Deadline
from tests.resolvers.live.clients import socket, stream
from tests.resolvers.live.rest import back_to_rest, table_locked, until_someone_waits
from tests.server.load.clients import JOBS, NOTHING, WAYS, WRITES, Ask, asked, post
from tests.support.patience import PATIENCE_SECONDS
from tests.support.service import ORG, Service, serving

WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND wait_event_type = 'Lock'"
)


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[Service]:
    """Requests and statements have all the time they want; there are two connections."""
    async with serving(
        database_url,
        request_timeout_seconds="600",
        statement_timeout_seconds="600",
        pool_size="1",
        pool_overflow="1",
    ) as running:
        yield running


@pytest.fixture(scope="module")
async def hasty(database_url: str) -> AsyncIterator[Service]:
    """Requests have little time, statements a lot."""
    async with serving(
        database_url, request_timeout_seconds="1", statement_timeout_seconds="600"
    ) as running:
        yield running


async def until_nobody_waits(service: Service, database_url: str) -> None:
    """Wait until no statement waits for a lock, and all connections are back."""
    pool = service.engine.pool
    assert isinstance(pool, QueuePool)
    connection = await asyncpg.connect(database_url)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await connection.fetchval(WAITING) or pool.checkedout():  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
    finally:
        await connection.close()


def create(type_: str, key: str = "") -> str:
    by_key = f', idempotencyKey: "{key}"' if key else ""
    return f'createJob(input: {{type: "{type_}"{by_key}}}) {{ __typename }}'


async def count(database_url: str, type_: str) -> int:
    connection = await asyncpg.connect(database_url)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM job WHERE type = $1", type_))
    finally:
        await connection.close()


@pytest.mark.parametrize("ask", WAYS)
async def test_a_query_has_its_time(hasty: Service, database_url: str, ask: Ask) -> None:
    async with back_to_rest(hasty, database_url):
        async with table_locked(database_url):
            answer = await ask(hasty, "{ __typename jobs { nodes { id } } }")
            assert answer.codes == ["TIMEOUT"]
            assert answer.status in {200, None}
            await until_nobody_waits(hasty, database_url)
        assert (await ask(hasty, JOBS)).codes == []


async def test_what_is_asked_after_its_time_is_not_begun(hasty: Service, database_url: str) -> None:
    async with table_locked(database_url):
        with hasty.recorded() as statements:
            both = "{ a: jobs { nodes { id } } b: jobs(first: 1) { nodes { id } } }"
            answer = await post(hasty, both)
        assert set(answer.codes) == {"TIMEOUT"}
        assert len(statements) == 1


@pytest.mark.parametrize("ask", WRITES)
async def test_a_mutation_has_its_time_and_leaves_nothing_half(
    hasty: Service, database_url: str, ask: Ask
) -> None:
    connection = await asyncpg.connect(database_url)
    key = f"taken {ask.__name__}"  # type: ignore[attr-defined]
    insert = "INSERT INTO job (org_id, type, idempotency_key) VALUES ($1, 'other', $2)"
    document = f"mutation {{ a: {create('first ' + key)} b: {create('second', key)} c: {create('third')} }}"
    async with back_to_rest(hasty, database_url):
        # Whoever writes this key too waits until it is clear whether it is taken.
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(insert, ORG, key)
        answer = await ask(hasty, document)
        await until_nobody_waits(hasty, database_url)
        await transaction.rollback()
        await connection.close()
    assert set(answer.codes) == {"TIMEOUT"}
    assert await count(database_url, "first " + key) == 1
    assert await count(database_url, "second") == await count(database_url, "third") == 0
    again = await ask(hasty, f"mutation {{ {create('again', key)} }}")
    assert again.codes == []


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_the_query_of_a_client_that_hung_up_is_cancelled(
    service: Service, database_url: str, method: str
) -> None:
    async with back_to_rest(service, database_url), table_locked(database_url):
        for _ in range(3):
            async with asked(service, JOBS, method):
                await until_someone_waits(database_url)
            await until_nobody_waits(service, database_url)


async def test_the_query_of_an_ended_stream_is_cancelled(
    service: Service, database_url: str
) -> None:
    async with back_to_rest(service, database_url), table_locked(database_url):
        for _ in range(3):
            async with stream(service, JOBS):
                await until_someone_waits(database_url)
            await until_nobody_waits(service, database_url)


async def test_a_completed_query_is_cancelled(service: Service, database_url: str) -> None:
    async with (
        back_to_rest(service, database_url),
        socket(service) as client,
        table_locked(database_url),
    ):
        await client.init()
        for n in range(3):
            await client.subscribe(str(n), JOBS)
            await until_someone_waits(database_url)
            await client.send({"id": str(n), "type": "complete"})
            await until_nobody_waits(service, database_url)
        assert await client.ask("last", NOTHING) == {"__typename": "Query"}


async def test_the_queries_of_a_closed_socket_are_cancelled(
    service: Service, database_url: str
) -> None:
    async with back_to_rest(service, database_url), table_locked(database_url):
        async with socket(service) as client:
            await client.init()
            for n in range(2):
                await client.subscribe(str(n), JOBS)
            await until_someone_waits(database_url, 2)
            client.connection.transport.abort()
        await until_nobody_waits(service, database_url)


async def test_the_connection_of_a_cancelled_query_is_kept(
    service: Service, database_url: str
) -> None:
    of_ours = (
        "SELECT array_agg(pid ORDER BY pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'joblens'"
    )
    connection = await asyncpg.connect(database_url)
    await service.query(JOBS)
    before = await connection.fetchval(of_ours)
    async with table_locked(database_url), asked(service, JOBS):
        await until_someone_waits(database_url)
    await until_nobody_waits(service, database_url)
    await service.query(JOBS)
    assert await connection.fetchval(of_ours) == before
    await connection.close()


async def test_what_others_ask_is_not_cancelled(service: Service, database_url: str) -> None:
    async with back_to_rest(service, database_url):
        async with table_locked(database_url):
            waiting = asyncio.create_task(service.query(JOBS))
            await until_someone_waits(database_url)
            async with asked(service, JOBS):
                await until_someone_waits(database_url, 2)
            # Its connection serves a third one, while the first still waits.
            assert await service.query("{ viewer { orgId } }")
        assert "nodes" in (await waiting)["jobs"]


async def test_a_mutation_is_finished_for_a_client_that_hung_up(
    service: Service, database_url: str
) -> None:
    async with back_to_rest(service, database_url), table_locked(database_url):
        async with asked(service, f"mutation {{ {create('left')} }}"):
            await until_someone_waits(database_url)
        # Time to notice that it left.
        for _ in range(100):
            await service.client.get("/healthz")
    assert await count(database_url, "left") == 1


async def test_a_subscription_may_go_on(hasty: Service) -> None:
    counts = "subscription { statusCounts(everySeconds: 1) { count { value } } }"
    async with stream(hasty, counts) as events:
        assert (await events.event())[0] == "next"
        await hasty.query(f"mutation {{ {create('later')} }}")
        await asyncio.sleep(1.2)
        assert (await events.event())[0] == "next"


@asynccontextmanager
async def all_connections_taken(service: Service, database_url: str) -> AsyncIterator[None]:
    async with table_locked(database_url):
        waiting = [asyncio.create_task(service.query(JOBS)) for _ in range(2)]
        await until_someone_waits(database_url, 2)
        yield
    await asyncio.gather(*waiting)


async def test_a_client_that_hangs_up_in_the_queue_for_a_connection(
    service: Service, database_url: str
) -> None:
    async with back_to_rest(service, database_url):
        async with all_connections_taken(service, database_url), asked(service, JOBS):
            for _ in range(10):
                await service.client.get("/healthz")
        assert (await post(service, JOBS)).codes == []


async def test_a_receive_that_never_waits() -> None:
    """It is asked now and then: in between, the others run, and the time is up at last."""
    stopped = asyncio.Event()

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    deadline = Deadline(0.5, stopped.set, receive)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await stopped.wait()
    deadline.end()

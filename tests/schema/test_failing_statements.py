"""Each statement of an operation fails in turn, in PostgreSQL: both executors respond alike."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest
from sqlalchemy import event
from sqlalchemy.pool import QueuePool

from tests.resolvers.live.rest import back_to_rest
from tests.schema.execution.both import region
from tests.server.load.clients import asked
from tests.support.ledger import events, insert, job
from tests.support.service import Service, serving

JOBS = [job(n, status="failed") for n in range(3)]
ID = JOBS[0]["id"]
EXECUTORS = ["compiled", "core"]
OPERATIONS = [
    "{ jobs { nodes { id events { nodes { id detail job { type } } } } } }",
    "{ jobs { nodes { id } count { value } pageInfo { hasNextPage } } statusCounts { count { value } } }",
    "{ jobs { nodes { attempts { number } latestEvent { job { queue } } events { count { value } } } } }",
    f'{{ nodes(ids: ["{ID}", "{ID}:1"]) {{ id ... on JobEvent {{ job {{ type attempts {{ number }} }} }} }} job(id: "{ID}") {{ id }} }}',
    "{ a: jobs { nodes { id x: events(first: 1) { edges { node { ts } } } y: events(last: 1) { nodes { ts job { id } } } } } b: jobs(last: 1) { edges { cursor } } }",
    "{ jobGroups(by: [STATUS]) { count wait { count } } jobEvents { nodes { id job { id events { nodes { id } } } } } viewer { subject } }",
]
# The statement with all of its parameters, which waits first.
WAITING = "SELECT original.* FROM pg_sleep(600) LEFT JOIN LATERAL ({}) AS original ON true"
FIND = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"
    " AND wait_event = 'PgSleep'"
)


@pytest.fixture(scope="module", autouse=True)
async def _ledger(database_url: str) -> None:
    steps = [step for row in JOBS for step in events(row, "queued", "running", "failed")]
    await insert(database_url, JOBS, steps)


@pytest.fixture(scope="module")
async def services(database_url: str) -> AsyncIterator[dict[str, Service]]:
    async with (
        serving(database_url, pool_size="2") as compiled,
        serving(database_url, pool_size="2", executor="core") as core,
    ):
        yield dict(zip(EXECUTORS, (compiled, core), strict=True))


@pytest.fixture(scope="module")
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@contextmanager
def waits(service: Service, number: int) -> Iterator[list[str]]:
    """Let the statement of this number wait; collect all that are sent."""
    sent: list[str] = []

    def before(_c: Any, _cursor: Any, sql: str, parameters: Any, *_rest: Any) -> tuple[str, Any]:
        sent.append(sql)
        return (WAITING.format(sql) if len(sent) == number else sql), parameters

    engine = service.engine.sync_engine
    event.listen(engine, "before_cursor_execute", before, retval=True)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", before)


async def waiting(owner: asyncpg.Connection) -> int:
    """Get the process of PostgreSQL that waits, once one does."""
    async with asyncio.timeout(60):
        while (pid := await owner.fetchval(FIND)) is None:  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.002)
    return int(pid)


async def failing(
    service: Service, owner: asyncpg.Connection, query: str, number: int, end: str
) -> tuple[dict[str, Any], list[str]]:
    """Ask while the statement of this number ends by a function; get what was sent, too."""
    with waits(service, number) as sent:
        asking = asyncio.create_task(service.post(query))
        assert await owner.fetchval(f"SELECT {end}($1)", await waiting(owner))
        response = await asking
    return response.json(), sent


async def statements(service: Service, query: str) -> list[str]:
    with service.recorded() as sent:
        assert "errors" not in (await service.post(query)).json()
    return sent


def nulled(response: dict[str, Any]) -> set[tuple[str | int, ...]]:
    return {region(response["data"], error["path"]) for error in response["errors"]}


@pytest.mark.parametrize(
    ("end", "code"), [("pg_cancel_backend", "TIMEOUT"), ("pg_terminate_backend", "UNAVAILABLE")]
)
@pytest.mark.parametrize("query", OPERATIONS)
async def test_each_statement_fails(
    services: dict[str, Service],
    database_url: str,
    owner: asyncpg.Connection,
    query: str,
    end: str,
    code: str,
) -> None:
    """Which of the errors that null the same region is reported may differ."""
    wanted = {name: await statements(service, query) for name, service in services.items()}
    assert len(wanted["compiled"]) == len(wanted["core"])
    for number in range(1, len(wanted["core"]) + 1):
        responses = []
        for name, service in services.items():
            async with back_to_rest(service, database_url):
                response, sent = await failing(service, owner, query, number, end)
                # What failed is the last one: nothing is run after it, or again.
                assert sent == wanted[name][:number]
                assert {each["extensions"]["code"] for each in response["errors"]} == {code}
                assert await statements(service, query) == wanted[name]
            responses.append(response)
        compiled, core = responses
        assert str(compiled["data"]) == str(core["data"])
        assert nulled(compiled) == nulled(core)


@pytest.mark.parametrize("query", OPERATIONS)
async def test_the_client_leaves_at_each_statement(
    services: dict[str, Service], database_url: str, owner: asyncpg.Connection, query: str
) -> None:
    for service in services.values():
        wanted = await statements(service, query)
        for number in range(1, len(wanted) + 1):
            async with back_to_rest(service, database_url):
                with waits(service, number) as sent:
                    async with asked(service, query):
                        await waiting(owner)
                    pool = service.engine.pool
                    assert isinstance(pool, QueuePool)
                    async with asyncio.timeout(60):
                        while pool.checkedout():  # noqa: ASYNC110 - there is no event
                            await asyncio.sleep(0.002)
                assert sent == wanted[:number]
                assert await statements(service, query) == wanted

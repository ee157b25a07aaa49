"""What changes sums while a transaction sums events: that one does not see it, and is repeated."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from db.commands.deletion import delete_jobs
from db.engine import Scope, create_engine
from db.facts import Fact, Source, job_id_of, record_facts
from db.queries.aggregates import count_jobs_by_status
from db.request_session import RequestSession
from db.session_scope import session_scope
from db.statuses import JobStatus
from db.tallies.summing import Outcome, sum_once
from tests.db.tallies.test_error_jobs import by_error
from tests.support.background import until
from tests.support.ledger import EPOCH

SHOP = Source("shop", "celery")
ON_STATE = """
SELECT count(*) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND datname = current_database() AND query LIKE '%tally_state%'
"""


def fact(name: str, seconds: int, status: JobStatus, attempt: int, **given: Any) -> Fact:
    return Fact(name, EPOCH + timedelta(seconds=seconds), status, attempt, **given)


def life(name: str) -> list[Fact]:
    """Tell that a job failed with the error A, and runs again."""
    return [
        fact(name, 0, JobStatus.QUEUED, 0, type="mail"),
        fact(name, 1, JobStatus.RUNNING, 1),
        fact(name, 2, JobStatus.FAILED, 1, error_code="A"),
        fact(name, 3, JobStatus.QUEUED, 1),
        fact(name, 4, JobStatus.RUNNING, 2),
    ]


def progress(name: str, seconds: int) -> Fact:
    """Tell something that changes no status."""
    return fact(name, seconds, JobStatus.RUNNING, 2, detail={"progress": {"fraction": 0.5}})


# That it failed without an error: this changes no event.
CLEARED = fact("1", 2, JobStatus.FAILED, 1, error_code="", seen_at=EPOCH + timedelta(hours=2))


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


async def record(engine: AsyncEngine, org_id: UUID, *facts: Fact) -> None:
    async with session_scope(org_id, engine=engine) as session:
        await record_facts(session, org_id, SHOP, facts)


async def sum_all(engine: AsyncEngine, org_id: UUID) -> None:
    while (await sum_once(engine, org_id)).outcome is not Outcome.DONE:
        pass


async def by_status(engine: AsyncEngine, org_id: UUID) -> dict[JobStatus, int]:
    async with RequestSession(engine, Scope(org_id, 60)) as session, session.use() as begun:
        counts = await count_jobs_by_status(begun, org_id, None, None)
    return {status: count for status, count in counts.items() if count}


@asynccontextmanager
async def awaited(engine: AsyncEngine, owner: Any, org_id: UUID) -> AsyncIterator[AsyncSession]:
    """Open a transaction, for which one that sums events waits before it ends, and fails."""
    async with session_scope(org_id, engine=engine) as session:
        yield session
        summing = asyncio.create_task(sum_once(engine, org_id))
        await until(partial(_is_waiting, owner))
        assert not summing.done()
    assert (await summing).outcome is Outcome.BUSY


async def _is_waiting(owner: Any) -> bool:
    return bool(await owner.fetchval(ON_STATE))


async def clear(session: AsyncSession, org_id: UUID) -> None:
    await record_facts(session, org_id, SHOP, [CLEARED])


async def delete(session: AsyncSession, org_id: UUID) -> None:
    assert await delete_jobs(session, org_id, [job_id_of("shop", "1")])


@pytest.mark.parametrize(
    ("change", "then", "errors"),
    [
        (clear, [progress("1", 9)], {"A": 1, None: 1}),
        (delete, [fact("1", 9, JobStatus.QUEUED, 0, type="mail")], {"A": 1, None: 1}),
    ],
)
@pytest.mark.parametrize("forgets", [False, True])
async def test_errors_that_change_meanwhile_are_counted_as_they_are(
    engine: AsyncEngine,
    owner: Any,
    change: Callable[[AsyncSession, UUID], Awaitable[None]],
    then: list[Fact],
    errors: dict[str | None, int],
    forgets: bool,
) -> None:
    org_id = uuid4()
    await record(engine, org_id, *life("1"), *life("2"))
    await sum_all(engine, org_id)
    await record(engine, org_id, progress("1", 5))
    if forgets:
        # The transaction that waits counts all jobs.
        await owner.execute("UPDATE tally_state SET errors_seen = NULL WHERE org_id = $1", org_id)
    async with awaited(engine, owner, org_id) as session:
        await change(session, org_id)
    await sum_all(engine, org_id)
    await record(engine, org_id, *then)
    assert await by_error(engine, org_id) == errors
    await sum_all(engine, org_id)
    assert await by_error(engine, org_id) == errors


@pytest.mark.parametrize("is_repeated", [False, True])
@pytest.mark.parametrize(("change", "errors"), [(clear, {"A": 1, None: 1}), (delete, {"A": 1})])
async def test_what_changes_while_the_first_sums_are_begun_is_not_missed(
    engine: AsyncEngine,
    owner: Any,
    change: Callable[[AsyncSession, UUID], Awaitable[None]],
    errors: dict[str | None, int],
    is_repeated: bool,
) -> None:
    org_id = uuid4()
    await record(engine, org_id, *life("1"), *life("2"))
    if is_repeated:
        await record(engine, org_id, *life("3"))
        # An earlier one has left a row that says that there are no sums.
        async with session_scope(org_id, engine=engine) as session:
            assert await delete_jobs(session, org_id, [job_id_of("shop", "3")])
    async with awaited(engine, owner, org_id) as session:
        await change(session, org_id)
    await sum_all(engine, org_id)
    assert await by_error(engine, org_id) == errors


async def test_a_history_that_is_replaced_meanwhile_is_summed_once(
    engine: AsyncEngine, owner: Any
) -> None:
    org_id = uuid4()
    await record(engine, org_id, fact("1", 0, JobStatus.QUEUED, 0, type="mail"))
    await sum_all(engine, org_id)
    await record(engine, org_id, fact("1", 10, JobStatus.SUCCEEDED, 1))
    async with awaited(engine, owner, org_id) as session:
        # A start before an end that is not summed yet.
        await record_facts(session, org_id, SHOP, [fact("1", 5, JobStatus.RUNNING, 1)])
    assert await by_status(engine, org_id) == {JobStatus.SUCCEEDED: 1}
    await sum_all(engine, org_id)
    assert await by_status(engine, org_id) == {JobStatus.SUCCEEDED: 1}

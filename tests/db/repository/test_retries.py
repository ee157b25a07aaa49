"""in_transaction: what is tried again, what is not, and what never may be."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from db import retries
from db.database_errors import DatabaseUnavailableError
from joblens import (
    CommitUncertainError,
    JobRepository,
    JobStatus,
    create_worker_engine,
    in_transaction,
    session_scope,
)
from tests.db.repository.conftest import Doomed

Work = Callable[[AsyncSession], Awaitable[None]]


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_WAIT_SECONDS", 0.001)


async def new_job(engine: AsyncEngine, org_id: UUID, type_: str = "t") -> UUID:
    async with session_scope(org_id, engine=engine) as session:
        job_id: UUID = (await JobRepository(session).create_job(type_)).job.id
        return job_id


async def count(engine: AsyncEngine, org_id: UUID) -> int:
    async with session_scope(org_id, engine=engine) as session:
        return len(await JobRepository(session).get_job_ids_by_status(JobStatus.QUEUED))


async def seqs(engine: AsyncEngine, org_id: UUID, job_id: UUID) -> list[int]:
    async with session_scope(org_id, engine=engine) as session:
        found = await JobRepository(session).get_job_with_events(job_id)
    assert found is not None
    return [each.seq for each in found.events]


async def test_a_deadlock_is_tried_again(engine: AsyncEngine, org_id: UUID) -> None:
    first, second = await new_job(engine, org_id), await new_job(engine, org_id)
    both = asyncio.Barrier(2)
    runs: list[UUID] = []

    def work(mine: UUID, other: UUID) -> Work:
        async def run(session: AsyncSession) -> None:
            repository = JobRepository(session)
            await repository.log_job_event(mine, {"first": True})
            runs.append(mine)
            if runs.count(mine) == 1:
                await both.wait()
            await repository.log_job_event(other, {"first": False})

        return run

    await asyncio.gather(
        in_transaction(org_id, work(first, second), engine=engine),
        in_transaction(org_id, work(second, first), engine=engine),
    )
    assert len(runs) > 2
    assert await seqs(engine, org_id, first) == [1, 2, 3]
    assert await seqs(engine, org_id, second) == [1, 2, 3]


@pytest.mark.parametrize("at", ["a statement", "COMMIT"])
async def test_a_serialization_failure_is_tried_again(
    engine: AsyncEngine, org_id: UUID, at: str
) -> None:
    job_id = await new_job(engine, org_id)
    runs = 0

    async def work(session: AsyncSession) -> None:
        nonlocal runs
        runs += 1
        repository = JobRepository(session)
        # The first statement must not have taken the snapshot yet.
        level = "SERIALIZABLE" if at == "COMMIT" else "REPEATABLE READ"
        await session.execute(text(f"SET TRANSACTION ISOLATION LEVEL {level}"))
        if at == "COMMIT":
            # Write skew: each counts what the other writes.
            await count_in(session)
            if runs == 1:
                await in_transaction(org_id, skewed, engine=engine)
            await repository.create_job("t")
            return
        await repository.job_exists(job_id)
        if runs == 1:
            async with session_scope(org_id, engine=engine) as other:
                await JobRepository(other).log_job_event(job_id, {"other": True})
        await repository.log_job_event(job_id, {"other": False})

    async def count_in(session: AsyncSession) -> None:
        await session.execute(text("SELECT count(*) FROM job"))

    async def skewed(session: AsyncSession) -> None:
        await session.execute(text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"))
        await count_in(session)
        await JobRepository(session).create_job("t")

    await in_transaction(org_id, work, engine=engine)
    assert runs == 2
    assert await count(engine, org_id) == (3 if at == "COMMIT" else 1)
    assert await seqs(engine, org_id, job_id) == ([1] if at == "COMMIT" else [1, 2, 3])


@pytest.mark.parametrize("nested", [False, True], ids=["plainly", "in a savepoint"])
async def test_a_connection_lost_before_commit_is_tried_again(
    doomed: Doomed, org_id: UUID, nested: bool
) -> None:
    runs = 0

    async def work(session: AsyncSession) -> None:
        nonlocal runs
        runs += 1
        repository = JobRepository(session)
        await repository.create_job("first")
        if runs == 1:
            pid = (await session.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            await doomed.kill(pid)
        if nested:
            async with session.begin_nested():
                await repository.create_job("second")
        else:
            await repository.create_job("second")

    await in_transaction(org_id, work, engine=doomed.engine)
    assert runs == 2
    assert await count(doomed.engine, org_id) == 2


def creating(runs: list[Any], key: str | None = None) -> Work:
    async def work(session: AsyncSession) -> None:
        runs.append(None)
        await JobRepository(session).create_job("t", idempotency_key=key)

    return work


@pytest.mark.direct
@pytest.mark.parametrize(("when", "kept"), [("before", 0), ("after", 1)])
async def test_a_lost_commit_is_not_tried_again(
    doomed: Doomed, org_id: UUID, when: str, kept: int
) -> None:
    doomed.kills = [when]
    runs: list[Any] = []
    with pytest.raises(CommitUncertainError):
        await in_transaction(org_id, creating(runs), engine=doomed.engine)
    assert len(runs) == 1
    assert await count(doomed.engine, org_id) == kept


@pytest.mark.direct
async def test_a_lost_commit_of_what_is_idempotent_is_tried_again(
    doomed: Doomed, org_id: UUID
) -> None:
    doomed.kills = ["before", "after"]
    runs: list[Any] = []
    await in_transaction(org_id, creating(runs, "key"), idempotent=True, engine=doomed.engine)
    assert len(runs) == 3
    assert await count(doomed.engine, org_id) == 1


async def test_a_database_that_comes_back_is_waited_for(
    database_url: str, org_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, refused = asyncpg.connect, 0

    async def refuse_twice(*args: Any, **options: Any) -> Any:
        nonlocal refused
        if refused < 2:
            refused += 1
            raise ConnectionRefusedError
        return await connect(*args, **options)

    monkeypatch.setattr(asyncpg, "connect", refuse_twice)
    engine = create_worker_engine(database_url)
    runs: list[Any] = []
    await in_transaction(org_id, creating(runs), engine=engine)
    assert (len(runs), refused) == (1, 2)
    await engine.dispose()


async def test_attempts_end(org_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts: list[Any] = []

    async def refuse(*_args: Any, **_options: Any) -> Any:
        attempts.append(None)
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncpg, "connect", refuse)
    away = create_worker_engine("postgresql:///away")
    with pytest.raises(DatabaseUnavailableError):
        await in_transaction(org_id, creating([]), engine=away, attempts=3)
    assert len(attempts) == 3
    await away.dispose()


@pytest.mark.parametrize(
    "error", [KeyError("x"), ConnectionResetError("of a mail server"), TimeoutError("of its own")]
)
async def test_errors_of_the_work_are_not_tried_again(
    engine: AsyncEngine, org_id: UUID, error: Exception
) -> None:
    runs = 0

    async def work(session: AsyncSession) -> None:
        nonlocal runs
        runs += 1
        await JobRepository(session).create_job("t")
        raise error

    with pytest.raises(type(error)):
        await in_transaction(org_id, work, engine=engine)
    assert runs == 1
    assert await count(engine, org_id) == 0


async def test_defects_of_statements_are_not_tried_again(engine: AsyncEngine, org_id: UUID) -> None:
    runs = 0

    async def work(session: AsyncSession) -> None:
        nonlocal runs
        runs += 1
        await session.execute(text("SELECT 1 / 0"))

    with pytest.raises(DBAPIError):
        await in_transaction(org_id, work, engine=engine)
    assert runs == 1


async def test_the_answer_of_the_work_is_handed_on(engine: AsyncEngine, org_id: UUID) -> None:
    async def work(session: AsyncSession) -> bool:
        return (await JobRepository(session).create_job("t")).created

    assert await in_transaction(org_id, work, engine=engine)

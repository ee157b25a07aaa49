"""session_scope: one transaction, savepoints that undo a part, one organisation, one engine a loop."""

import asyncio
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from db.database_errors import DatabaseUnavailableError
from db.engine import EngineOptions, TransactionAbortedError
from db.session_scope import DatabaseNotConfiguredError
from joblens import (
    CommitUncertainError,
    IdempotencyConflictError,
    IllegalTransitionError,
    JobNotFoundError,
    JobRepository,
    JobStatus,
    NewJob,
    create_worker_engine,
    dispose,
    session_scope,
)
from tests.db.repository.conftest import Doomed

NONSENSE = text("SELECT 1 / 0")


async def types(engine: AsyncEngine, org_id: UUID) -> set[str]:
    async with session_scope(org_id, engine=engine) as session:
        return {row.type for row in await JobRepository(session).get_queued_jobs(100)}


async def test_success_commits_and_an_error_undoes(engine: AsyncEngine, org_id: UUID) -> None:
    async with session_scope(org_id, engine=engine) as session:
        repository = JobRepository(session)
        await repository.create_job("kept")
        await repository.create_job("kept too")
        assert await types(engine, org_id) == set()
    with suppress(KeyError):
        async with session_scope(org_id, engine=engine) as session:
            await JobRepository(session).create_job("undone")
            raise KeyError
    assert await types(engine, org_id) == {"kept", "kept too"}


async def test_a_savepoint_undoes_a_part(engine: AsyncEngine, org_id: UUID) -> None:
    async with session_scope(org_id, engine=engine) as session:
        repository = JobRepository(session)
        await repository.create_job("before")
        with suppress(KeyError):
            async with session.begin_nested():
                await repository.create_job("undone")
                async with session.begin_nested():
                    await repository.create_job("undone too")
                raise KeyError
        async with session.begin_nested():
            await repository.create_job("inside")
        await repository.create_job("after")
    assert await types(engine, org_id) == {"before", "inside", "after"}


async def test_a_failed_statement_in_a_savepoint_leaves_the_rest(
    engine: AsyncEngine, org_id: UUID
) -> None:
    async with session_scope(org_id, engine=engine) as session:
        repository = JobRepository(session)
        await repository.create_job("before")
        with suppress(DBAPIError):
            async with session.begin_nested():
                await repository.create_job("undone")
                await session.execute(NONSENSE)
        # Organisation, role and timeout still hold.
        await repository.create_job("after")
        role = await session.execute(text("SELECT current_user, current_setting('joblens.org_id')"))
        assert tuple(role.one()) == ("joblens_app", str(org_id))
    assert await types(engine, org_id) == {"before", "after"}


async def test_a_swallowed_failure_is_not_taken_for_success(
    engine: AsyncEngine, org_id: UUID
) -> None:
    async def write() -> None:
        async with session_scope(org_id, engine=engine) as session:
            await JobRepository(session).create_job("lost")
            with suppress(DBAPIError):
                await session.execute(NONSENSE)

    with pytest.raises(TransactionAbortedError):
        await write()
    assert await types(engine, org_id) == set()


async def test_a_batch_that_conflicts_is_undone_also_when_its_error_is_caught(
    engine: AsyncEngine, org_id: UUID
) -> None:
    async with session_scope(org_id, engine=engine) as session:
        repository = JobRepository(session)
        await repository.create_job("first", idempotency_key="k")
        with pytest.raises(IdempotencyConflictError):
            await repository.create_many_jobs(
                [NewJob(type="a"), NewJob(type="b", idempotency_key="k")]
            )
    assert await types(engine, org_id) == {"first"}


async def test_an_early_end_closes_the_scope(engine: AsyncEngine, org_id: UUID) -> None:
    async with session_scope(org_id, engine=engine) as session:
        repository = JobRepository(session)
        await repository.create_job("kept")
        await session.commit()
        with pytest.raises(InvalidRequestError):
            await repository.create_job("too late")
    assert await types(engine, org_id) == {"kept"}


async def test_organisations_do_not_see_each_other(engine: AsyncEngine, org_id: UUID) -> None:
    async with session_scope(org_id, engine=engine) as session:
        job_id = (await JobRepository(session).create_job("mine", idempotency_key="k")).job.id
    async with session_scope(uuid4(), engine=engine) as session:
        other = JobRepository(session)
        assert await other.get_job_by_id(job_id) is None
        assert await other.get_job_with_events(job_id) is None
        assert not await other.job_exists(job_id)
        assert not await other.delete_job(job_id)
        assert await other.get_job_ids_by_status(JobStatus.QUEUED) == []
        assert list(await other.get_queued_jobs(10)) == []
        with pytest.raises(JobNotFoundError):
            await other.update_job_status(job_id, JobStatus.RUNNING)
        with pytest.raises(JobNotFoundError):
            await other.log_job_event(job_id, {})
        assert (await other.create_job("theirs", idempotency_key="k")).created
    assert await types(engine, org_id) == {"mine"}


async def test_of_many_writers_one_wins(engine: AsyncEngine, org_id: UUID) -> None:
    async with session_scope(org_id, engine=engine) as session:
        job_id = (await JobRepository(session).create_job("t")).job.id

    async def start(number: int) -> str:
        async with session_scope(org_id, engine=engine) as session:
            repository = JobRepository(session, by=f"worker {number}")
            await repository.update_job_status(job_id, JobStatus.RUNNING)
            return f"worker {number}"

    answers = await asyncio.gather(*(start(number) for number in range(30)), return_exceptions=True)
    (winner,) = [answer for answer in answers if isinstance(answer, str)]
    losers = [answer for answer in answers if isinstance(answer, IllegalTransitionError)]
    assert [loser.current for loser in losers] == [JobStatus.RUNNING] * 29
    async with session_scope(org_id, engine=engine) as session:
        found = await JobRepository(session).get_job_with_events(job_id)
    assert found is not None
    assert [event.seq for event in found.events] == [1, 2]
    assert found.events[1].detail == {"by": winner}


async def test_writers_of_one_key_make_one_job(engine: AsyncEngine, org_id: UUID) -> None:
    async def create() -> Any:
        async with session_scope(org_id, engine=engine) as session:
            return await JobRepository(session).create_job("t", idempotency_key="k")

    answers = await asyncio.gather(*(create() for _ in range(30)))
    assert len({answer.job.id for answer in answers}) == 1
    assert sum(answer.created for answer in answers) == 1


@pytest.mark.direct
async def test_a_lost_commit_is_told(doomed: Doomed, engine: AsyncEngine, org_id: UUID) -> None:
    doomed.kills = ["before", "after"]
    for name in ("lost", "kept"):
        with pytest.raises(CommitUncertainError):
            async with session_scope(org_id, engine=doomed.engine) as session:
                await JobRepository(session).create_job(name)
    assert await types(engine, org_id) == {"kept"}
    # The pool is none the worse for it.
    assert await types(doomed.engine, org_id) == {"kept"}


async def test_a_cancelled_scope_undoes_and_gives_its_connection_back(
    database_url: str, engine: AsyncEngine, org_id: UUID
) -> None:
    one = create_worker_engine(database_url, EngineOptions(pool_size=1, pool_overflow=0))
    begun = asyncio.Event()

    async def write() -> None:
        async with session_scope(org_id, engine=one) as session:
            await JobRepository(session).create_job("undone")
            begun.set()
            await session.execute(text("SELECT pg_sleep(60)"))

    task = asyncio.create_task(write())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await types(one, org_id) == set()
    await one.dispose()


async def test_statements_have_their_time(engine: AsyncEngine, org_id: UUID) -> None:
    with pytest.raises(DBAPIError, match="statement timeout"):
        async with session_scope(org_id, engine=engine, statement_timeout_seconds=0.05) as session:
            await session.execute(text("SELECT pg_sleep(60)"))


async def test_a_database_that_is_away_is_told(org_id: UUID) -> None:
    away = create_worker_engine("postgresql://127.0.0.1:1/away")
    with pytest.raises(DatabaseUnavailableError):
        async with session_scope(org_id, engine=away):
            pass
    await away.dispose()


@pytest.mark.direct
async def test_a_wrong_name_of_a_database_is_no_outage(database_url: str, org_id: UUID) -> None:
    wrong = create_worker_engine(database_url.replace("joblens_test_", "no_such_"))
    with pytest.raises(Exception, match="does not exist") as raised:
        async with session_scope(org_id, engine=wrong):
            pass
    assert not isinstance(raised.value, DatabaseUnavailableError)
    await wrong.dispose()


@pytest.mark.direct
async def test_without_an_engine_the_environment_names_the_database(
    database_url: str, engine: AsyncEngine, org_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JOBLENS_DATABASE_URL", raising=False)
    with pytest.raises(DatabaseNotConfiguredError, match="JOBLENS_DATABASE_URL"):
        async with session_scope(org_id):
            pass
    monkeypatch.setenv("JOBLENS_DATABASE_URL", database_url)

    async def pid(session: AsyncSession) -> int:
        found: int = (await session.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        return found

    async with session_scope(org_id) as session:
        await JobRepository(session).create_job("t", payload={"plain": [1]})
        first = await pid(session)
    async with session_scope(org_id) as session:
        assert await pid(session) == first
        (job,) = await JobRepository(session).get_queued_jobs(1)
        assert job.payload == {"plain": [1]}
    await dispose()
    await dispose()
    async with session_scope(org_id) as session:
        assert await pid(session) != first
    await dispose()


async def test_each_event_loop_has_its_own_engine(
    database_url: str, engine: AsyncEngine, org_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBLENS_DATABASE_URL", database_url)

    async def write(name: str) -> None:
        async with session_scope(org_id) as session:
            await JobRepository(session).create_job(name)

    async def program(name: str) -> None:
        await write(name)
        await dispose()

    await write("here")
    await asyncio.gather(*(asyncio.to_thread(asyncio.run, program(f"{n}")) for n in range(3)))
    await write("here still")
    await dispose()
    assert await types(engine, org_id) == {"here", "here still", "0", "1", "2"}

"""Changes of status by JobRepository, of one job and of many, on plain PostgreSQL and on Citus."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.limits import MAX_TRANSITIONS
from joblens import (
    IllegalTransitionError,
    InvalidJobError,
    JobNotFoundError,
    JobRepository,
    JobStatus,
    NewJob,
    StatusChange,
    create_worker_engine,
    session_scope,
)
from tests.support.citus import BOTH_WAYS, write_as_on_citus
from tests.support.patience import PATIENCE_SECONDS
from tests.support.statements import recorded

RUNNING, FAILED, SUCCEEDED = JobStatus.RUNNING, JobStatus.FAILED, JobStatus.SUCCEEDED
QUEUED, CANCELED = JobStatus.QUEUED, JobStatus.CANCELED


@pytest.fixture(scope="module", **BOTH_WAYS)
async def engine(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_worker_engine(database_url)
    if request.param:
        await write_as_on_citus(engine)
    yield engine
    await engine.dispose()


@pytest.fixture
def words(request: pytest.FixtureRequest) -> list[str]:
    """The statements of a change that is made."""
    on_citus = "citus" in request.node.name
    return ["UPDATE", "INSERT"] if on_citus else ["WITH"]


@pytest.fixture
async def repository(engine: AsyncEngine, org_id: UUID) -> AsyncIterator[JobRepository]:
    async with session_scope(org_id, engine=engine) as session:
        yield JobRepository(session, by="tests")


async def new_jobs(repository: JobRepository, count: int) -> list[UUID]:
    made = await repository.create_many_jobs([NewJob(type="t")] * count)
    return [each.job.id for each in made]


async def test_a_change_returns_the_row_and_writes_its_event(
    repository: JobRepository, engine: AsyncEngine, words: list[str]
) -> None:
    (job_id,) = await new_jobs(repository, 1)
    with recorded(engine) as statements:
        started = await repository.update_job_status(job_id, RUNNING, detail={"host": "a"})
    assert [statement.split()[0] for statement in statements] == words
    found = await repository.get_job_with_events(job_id)
    assert found is not None
    assert found.job == started
    *_, event = found.events
    assert (event.seq, event.ts, event.attempt) == (2, started.updated_at, 1)
    assert (event.prev_status, event.next_status) == ("queued", "running")
    assert event.detail == {"host": "a", "by": "tests"}
    with recorded(engine) as statements:
        seq = await repository.log_job_event(job_id, {})
    assert (seq, [statement.split()[0] for statement in statements]) == (3, words)


async def test_events_carry_their_transaction(
    repository: JobRepository, engine: AsyncEngine, owner: Any, org_id: UUID
) -> None:
    ids = await new_jobs(repository, 2)
    await repository.update_job_status(ids[0], RUNNING)
    await repository.update_many_job_statuses([StatusChange(each, CANCELED) for each in ids])
    await repository.log_job_event(ids[1], {})
    found = await repository.get_job_with_events(ids[0])
    assert found is not None
    assert len({event.xid for event in found.events} - {None}) == 1


async def test_many_changes_have_a_result_each(repository: JobRepository) -> None:
    one, two, three = await new_jobs(repository, 3)
    missing = uuid4()
    results = await repository.update_many_job_statuses(
        [
            StatusChange(three, RUNNING),
            StatusChange(missing, RUNNING),
            StatusChange(one, SUCCEEDED),
            StatusChange(three, SUCCEEDED, expected=RUNNING, attempt=1, result={"n": 1}),
            StatusChange(two, RUNNING, detail={"host": "a"}),
            StatusChange(two, FAILED, error_code="E", error_message="no"),
        ]
    )
    first, second, third, fourth, fifth, last = results
    assert isinstance(second, JobNotFoundError)
    assert second.job_id == missing
    assert isinstance(third, IllegalTransitionError)
    assert (third.job.id, third.current) == (one, "queued")
    rows = [first, fourth, fifth, last]
    assert [row.status for row in rows] == ["running", "succeeded", "running", "failed"]
    assert [row.event_seq for row in rows] == [2, 3, 2, 3]
    assert (fourth.result, last.last_error_code, last.last_error_message) == ({"n": 1}, "E", "no")
    for row in (fourth, last):
        assert await repository.get_job_by_id(row.id) == row
    found = await repository.get_job_with_events(two)
    assert found is not None
    assert [event.detail for event in found.events] == [
        {"by": "tests"},
        {"host": "a", "by": "tests"},
        {"error_code": "E", "error_message": "no", "by": "tests"},
    ]


async def test_the_waits_of_a_batch_differ(repository: JobRepository) -> None:
    ids = await new_jobs(repository, 20)
    steps = [StatusChange(each, to) for to in (RUNNING, FAILED, QUEUED) for each in ids]
    retried = (await repository.update_many_job_statuses(steps))[-len(ids) :]
    waits = {job.scheduled_at - job.updated_at for job in retried}
    assert len(waits) > 1


async def test_invalid_changes_change_nothing(repository: JobRepository) -> None:
    (job_id,) = await new_jobs(repository, 1)
    valid = StatusChange(job_id, RUNNING)
    for change, field in (
        (StatusChange(job_id, SUCCEEDED, result="\0"), "changes[1].result"),
        (StatusChange(job_id, SUCCEEDED, detail={"a": "\0"}), "changes[1].detail"),
    ):
        with pytest.raises(InvalidJobError) as raised:
            await repository.update_many_job_statuses([valid, change])
        assert raised.value.field == field
    with pytest.raises(InvalidJobError, match="changes: It may have at most 500"):
        await repository.update_many_job_statuses([valid] * (MAX_TRANSITIONS + 1))
    assert await repository.update_many_job_statuses([]) == []
    job = await repository.get_job_by_id(job_id)
    assert job is not None
    assert job.event_seq == 1


async def test_a_batch_waits_for_a_writer_and_meets_what_it_wrote(
    engine: AsyncEngine, org_id: UUID, owner: Any
) -> None:
    async with session_scope(org_id, engine=engine) as session:
        ids = await new_jobs(JobRepository(session), 3)

    async def start_all() -> list[Any]:
        async with session_scope(org_id, engine=engine) as session:
            changes = [StatusChange(each, RUNNING) for each in ids]
            return list(await JobRepository(session).update_many_job_statuses(changes))

    async with session_scope(org_id, engine=engine) as session:
        await JobRepository(session).update_job_status(ids[1], CANCELED)
        starting = asyncio.create_task(start_all())
        await _waits(owner)
    one, two, three = await starting
    assert (one.status, three.status) == ("running", "running")
    assert isinstance(two, IllegalTransitionError)
    assert two.current == "canceled"


async def _waits(owner: asyncpg.Connection) -> None:
    """Wait until a transaction of this database waits for a lock."""
    waiting = """SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'"""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await owner.fetchval(waiting):  # noqa: ASYNC110 - the database has no event for it
            await asyncio.sleep(0.01)

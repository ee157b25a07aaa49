"""JobRepository: what each method does."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from db.commands.notifications import CHANNEL
from db.limits import MAX_BATCH
from joblens import (
    BackoffPolicy,
    IdempotencyConflictError,
    IllegalTransitionError,
    InvalidJobError,
    JobNotFoundError,
    JobRepository,
    JobStatus,
    NewJob,
    StatusChange,
    session_scope,
)
from tests.resolvers.live.watching import until

UTC_NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
WEST, EAST = timezone(timedelta(hours=-5)), timezone(timedelta(hours=5))


@dataclass
class Words:
    text: str


@pytest.fixture
async def repository(engine: AsyncEngine, org_id: UUID) -> Any:
    async with session_scope(org_id, engine=engine) as session:
        yield JobRepository(session, by="tests")


async def steps(repository: JobRepository, job_id: UUID, *statuses: JobStatus) -> Any:
    job = None
    for status in statuses:
        job = await repository.update_job_status(job_id, status)
    return job


async def test_a_created_job_is_read_back(repository: JobRepository) -> None:
    payload = {"to": "ada@example.com", "n": [1, 2.5, None, True]}
    made = await repository.create_job(
        "email.send",
        queue="mail",
        idempotency_key="k",
        requested_by="ada",
        priority=7,
        payload=payload,
        max_attempts=3,
        backoff_policy=BackoffPolicy.FIXED,
        scheduled_at=UTC_NOON,
    )
    assert made.created
    job = await repository.get_job_by_id(made.job.id)
    assert job == made.job
    assert job is not None
    assert (job.type, job.queue, job.idempotency_key) == ("email.send", "mail", "k")
    assert (job.requested_by, job.priority, job.payload) == ("ada", 7, payload)
    assert (job.max_attempts, job.backoff_policy, job.scheduled_at) == (3, "fixed", UTC_NOON)
    assert (job.status, job.attempt, job.event_seq) == ("queued", 0, 1)
    assert await repository.job_exists(job.id)


async def test_a_job_has_a_parent_a_batch_and_tags(repository: JobRepository) -> None:
    parent = (await repository.create_job("parent")).job.id
    made = await repository.create_job("t", parent_id=parent, batch="b", tags=("y", "x"))
    assert (made.job.parent_id, made.job.batch, made.job.tags) == (parent, "b", ["x", "y"])
    (of_many,) = await repository.create_many_jobs([NewJob("t", parent_id=parent, tags=["x"])])
    assert (of_many.job.parent_id, of_many.job.batch, of_many.job.tags) == (parent, None, ["x"])
    assert (await repository.create_job("t", tags=[])).job.tags is None
    await repository.delete_job(parent)
    assert (await repository.get_job_by_id(made.job.id)) == made.job


async def test_a_parent_must_exist(repository: JobRepository, engine: AsyncEngine) -> None:
    async with session_scope(uuid4(), engine=engine) as session:
        theirs = (await JobRepository(session).create_job("t")).job.id
    for parent in (uuid4(), theirs):
        with pytest.raises(JobNotFoundError) as caught:
            await repository.create_job("t", parent_id=parent)
        assert caught.value.job_id == parent
        with pytest.raises(JobNotFoundError):
            await repository.create_many_jobs([NewJob("t"), NewJob("t", parent_id=parent)])
    assert await repository.get_job_ids_by_status(JobStatus.QUEUED) == []


async def test_what_a_key_belongs_to_has_the_same_relations(repository: JobRepository) -> None:
    given: dict[str, Any] = {"idempotency_key": "k", "batch": "b", "tags": ["x", "y"]}
    first = await repository.create_job("t", **given)
    again = await repository.create_job("t", **{**given, "tags": ["y", "x"]})
    assert (again.created, again.job) == (False, first.job)
    for change in ({"batch": None}, {"tags": ["x"]}, {"tags": ()}):
        with pytest.raises(IdempotencyConflictError):
            await repository.create_job("t", **{**given, **change})


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"batch": ""}, "batch"),
        ({"tags": ["x", "x"]}, "tags"),
        ({"tags": "letters"}, "tags"),
        ({"tags": [str(n) for n in range(21)]}, "tags"),
    ],
)
async def test_relations_that_cannot_be_stored(
    repository: JobRepository, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidJobError) as caught:
        await repository.create_job("t", **fields)
    assert caught.value.field == field
    with pytest.raises(InvalidJobError) as caught:
        await repository.create_many_jobs([NewJob("t", **fields)])
    assert caught.value.field == f"jobs[0].{field}"


async def test_a_run_that_was_given_back_cannot_end_the_next(repository: JobRepository) -> None:
    job_id = (await repository.create_job("t")).job.id
    first = await steps(repository, job_id, JobStatus.RUNNING)
    await repository.update_job_status(job_id, JobStatus.QUEUED, attempt=first.attempt)
    second = await steps(repository, job_id, JobStatus.RUNNING)
    with pytest.raises(IllegalTransitionError, match="attempt 2"):
        await repository.update_job_status(job_id, JobStatus.FAILED, attempt=first.attempt)
    done = await repository.update_job_status(job_id, JobStatus.SUCCEEDED, attempt=second.attempt)
    assert done.status == JobStatus.SUCCEEDED


async def test_what_is_not_there_is_none(repository: JobRepository) -> None:
    assert await repository.get_job_by_id(uuid4()) is None
    assert await repository.get_job_with_events(uuid4()) is None
    assert not await repository.job_exists(uuid4())
    assert not await repository.delete_job(uuid4())
    for call in (
        repository.update_job_status(uuid4(), JobStatus.RUNNING),
        repository.log_job_event(uuid4(), {}),
    ):
        with pytest.raises(JobNotFoundError):
            await call


async def test_a_key_belongs_to_one_input(repository: JobRepository) -> None:
    first = await repository.create_job("t", idempotency_key="k", payload={"a": 1, "b": 2})
    again = await repository.create_job("t", idempotency_key="k", payload={"b": 2, "a": 1})
    assert (again.created, again.job) == (False, first.job)
    with pytest.raises(IdempotencyConflictError) as conflict:
        await repository.create_job("t", idempotency_key="k", payload={"a": 1})
    assert conflict.value.existing.id == first.job.id
    # The transaction goes on.
    assert await repository.job_exists(first.job.id)


async def test_many_jobs_are_created_all_or_none(repository: JobRepository) -> None:
    assert await repository.create_many_jobs([]) == []
    batch = [NewJob(type=f"t{number}") for number in range(5)]
    made = await repository.create_many_jobs(batch)
    assert [each.job.type for each in made] == ["t0", "t1", "t2", "t3", "t4"]
    await repository.create_job("t", idempotency_key="k")
    with pytest.raises(IdempotencyConflictError):
        await repository.create_many_jobs([*batch, NewJob(type="x", idempotency_key="k")])
    twice = [NewJob(type=type_, idempotency_key="twice") for type_ in ("a", "b")]
    with pytest.raises(InvalidJobError, match=r"jobs\[1\].idempotency_key"):
        await repository.create_many_jobs(twice)
    assert len(await repository.get_job_ids_by_status(JobStatus.QUEUED)) == 6
    with pytest.raises(InvalidJobError, match="at most 1000"):
        await repository.create_many_jobs([NewJob(type="t")] * (MAX_BATCH + 1))


async def test_a_life_is_written_as_events(repository: JobRepository) -> None:
    job_id = (await repository.create_job("t", backoff_policy=BackoffPolicy.NONE)).job.id
    running = await repository.update_job_status(job_id, JobStatus.RUNNING)
    assert running == await repository.get_job_by_id(job_id)
    assert (running.status, running.attempt) == ("running", 1)
    assert await repository.log_job_event(job_id, {"progress": 0.5}) == 3
    failed = await repository.update_job_status(
        job_id, JobStatus.FAILED, error_code="E1", error_message="broken", detail={"line": 3}
    )
    assert (failed.last_error_code, failed.last_error_message) == ("E1", "broken")
    done = await steps(repository, job_id, JobStatus.QUEUED, JobStatus.RUNNING)
    done = await repository.update_job_status(job_id, JobStatus.SUCCEEDED, result=[1, "two"])
    assert (done.status, done.attempt, done.result) == ("succeeded", 2, [1, "two"])
    found = await repository.get_job_with_events(job_id)
    assert found is not None
    assert [event.seq for event in found.events] == [1, 2, 3, 4, 5, 6, 7]
    path = "queued running running failed queued running succeeded"
    assert [event.next_status for event in found.events] == path.split()
    assert found.events[2].detail == {"progress": 0.5, "by": "tests"}
    assert found.events[3].detail == {
        "line": 3,
        "by": "tests",
        "error_code": "E1",
        "error_message": "broken",
    }
    first = await repository.get_job_with_events(job_id, limit=2)
    assert first is not None
    assert [event.seq for event in first.events] == [1, 2]


async def test_an_illegal_change_tells_what_it_met(repository: JobRepository) -> None:
    job_id = (await repository.create_job("t", max_attempts=1)).job.id
    with pytest.raises(IllegalTransitionError) as refused:
        await repository.update_job_status(job_id, JobStatus.SUCCEEDED)
    assert (refused.value.current, refused.value.requested) == ("queued", "succeeded")
    with pytest.raises(IllegalTransitionError):
        await repository.update_job_status(job_id, JobStatus.RUNNING, expected=JobStatus.FAILED)
    await steps(repository, job_id, JobStatus.RUNNING, JobStatus.FAILED)
    with pytest.raises(IllegalTransitionError, match="attempt 1 of 1"):
        await repository.update_job_status(job_id, JobStatus.QUEUED)
    retried = await repository.update_job_status(job_id, JobStatus.QUEUED, by_operator=True)
    assert (retried.status, retried.max_attempts) == ("queued", 2)


async def test_only_an_operator_revives_what_was_called_off(repository: JobRepository) -> None:
    job_id = (await repository.create_job("t")).job.id
    await repository.update_job_status(job_id, JobStatus.CANCELED)
    for expected in (None, JobStatus.CANCELED):
        with pytest.raises(IllegalTransitionError):
            await repository.update_job_status(job_id, JobStatus.QUEUED, expected=expected)
    retried = await repository.update_job_status(job_id, JobStatus.QUEUED, by_operator=True)
    assert retried.status == "queued"


async def test_queued_jobs_come_by_priority_then_age(repository: JobRepository) -> None:
    later = datetime.now(UTC) + timedelta(days=1)
    earlier = datetime.now(UTC) - timedelta(days=1)
    wanted = {}
    for name, priority, type_, scheduled_at in (
        ("low", -1, "a", None),
        ("old", 0, "a", None),
        ("new", 0, "b", earlier),
        ("high", 5, "a", None),
        ("not yet", 9, "a", later),
        ("running", 8, "a", None),
    ):
        made = await repository.create_job(type_, priority=priority, scheduled_at=scheduled_at)
        wanted[made.job.id] = name
        if name == "running":
            await repository.update_job_status(made.job.id, JobStatus.RUNNING)

    async def names(limit: int, type_: str | None = None) -> list[str]:
        return [wanted[row.id] for row in await repository.get_queued_jobs(limit, type=type_)]

    assert await names(10) == ["high", "old", "new", "low"]
    assert await names(2) == ["high", "old"]
    assert await names(10, "b") == ["new"]
    assert await names(10, "none such") == []
    (first,) = await repository.get_queued_jobs(1)
    assert first == await repository.get_job_by_id(first.id)


async def test_jobs_are_listed_by_type_and_status(repository: JobRepository) -> None:
    made = [(await repository.create_job("t")).job for _ in range(5)]
    await repository.create_job("other")
    await repository.update_job_status(made[0].id, JobStatus.RUNNING)
    newest_first = [job.id for job in reversed(made[1:])]
    first = await repository.get_jobs_by_type_and_status("t", JobStatus.QUEUED, limit=3)
    rest = await repository.get_jobs_by_type_and_status("t", JobStatus.QUEUED, after=first[-1])
    assert [job.id for job in [*first, *rest]] == newest_first
    assert await repository.get_job_ids_by_status(JobStatus.RUNNING) == [made[0].id]
    assert len(await repository.get_job_ids_by_status(JobStatus.QUEUED, limit=2)) == 2


async def test_a_start_tells_the_worker(repository: JobRepository) -> None:
    job_id = (await repository.create_job("t")).job.id
    job = await repository.update_job_status(job_id, JobStatus.RUNNING, worker="host:1")
    assert job.worker == "host:1"
    found = await repository.get_job_with_events(job_id)
    assert found is not None
    assert found.events[-1].detail["worker"] == "host:1"
    assert (await repository.update_job_status(job_id, JobStatus.QUEUED)).worker == "host:1"
    changes = [StatusChange(job_id, JobStatus.RUNNING, worker=name) for name in ("x", "y" * 256)]
    with pytest.raises(InvalidJobError, match=r"changes\[1\].worker"):
        await repository.update_many_job_statuses(changes)
    (changed,) = await repository.update_many_job_statuses(changes[:1])
    assert not isinstance(changed, Exception)
    assert changed.worker == "x"
    await repository.update_job_status(job_id, JobStatus.QUEUED)
    assert (await repository.update_job_status(job_id, JobStatus.RUNNING)).worker is None


async def test_a_deleted_job_takes_its_events_along(repository: JobRepository) -> None:
    job_id = (await repository.create_job("t")).job.id
    await steps(repository, job_id, JobStatus.RUNNING)
    assert await repository.delete_job(job_id)
    assert not await repository.job_exists(job_id)
    assert not await repository.delete_job(job_id)


async def test_many_jobs_are_deleted_at_once(repository: JobRepository) -> None:
    made = [(await repository.create_job("t")).job.id for _ in range(3)]
    kept = (await repository.create_job("t")).job.id
    assert await repository.delete_many_jobs([*reversed(made), made[0], uuid4()]) == sorted(made)
    assert await repository.delete_many_jobs(made) == []
    assert await repository.job_exists(kept)
    with pytest.raises(InvalidJobError):
        await repository.delete_many_jobs([kept] * 1_001)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("type", {"type": ""}),
        ("type", {"type": "x" * 256}),
        ("queue", {"queue": "nul\0"}),
        ("priority", {"priority": 2**31}),
        ("max_attempts", {"max_attempts": 0}),
        ("payload", {"payload": "x" * 300_000}),
        ("payload", {"payload": ("in a tuple\0",)}),
        ("payload", {"payload": {1, 2}}),
        ("payload", {"payload": {"half": "\ud83d"}}),
        ("payload", {"payload": [2**64]}),
        ("payload", {"payload": Decimal("NaN")}),
        ("payload", {"payload": Words("in a dataclass\0")}),
        ("requested_by", {"requested_by": "half \ud83d"}),
        ("scheduled_at", {"scheduled_at": datetime(2030, 1, 1)}),  # noqa: DTZ001
        ("scheduled_at", {"scheduled_at": datetime.max.replace(tzinfo=WEST)}),
        ("scheduled_at", {"scheduled_at": datetime.min.replace(tzinfo=EAST)}),
    ],
)
async def test_what_does_not_fit_is_refused(
    repository: JobRepository, field: str, values: dict[str, Any]
) -> None:
    new: dict[str, Any] = {"type": "t", **values}
    with pytest.raises(InvalidJobError) as refused:
        await repository.create_job(**new)
    assert refused.value.field == field
    with pytest.raises(InvalidJobError) as refused:
        await repository.create_many_jobs([NewJob(type="t"), NewJob(**new)])
    assert refused.value.field == f"jobs[1].{field}"


async def test_changes_are_checked_too(repository: JobRepository) -> None:
    job_id = (await repository.create_job("t")).job.id
    big = {"x": "x" * 300_000}
    for field, values in (
        ("result", {"result": big}),
        ("detail", {"detail": big}),
    ):
        arguments: dict[str, Any] = values
        with pytest.raises(InvalidJobError) as refused:
            await repository.update_job_status(job_id, JobStatus.CANCELED, **arguments)
        assert refused.value.field == field
    with pytest.raises(InvalidJobError):
        await repository.log_job_event(job_id, big)
    with pytest.raises(InvalidJobError):
        await repository.get_queued_jobs(0)
    # The transaction goes on.
    assert await repository.job_exists(job_id)


async def test_every_write_notifies_once(
    database_url: str, engine: AsyncEngine, org_id: UUID
) -> None:
    heard: list[str] = []

    def hear(*arguments: Any) -> None:
        # Those of the test before may still come.
        if arguments[-1] == str(org_id):
            heard.append(arguments[-1])

    listener = await asyncpg.connect(database_url)
    await listener.add_listener(CHANNEL, hear)
    job_ids: list[UUID] = []

    async def write(session: AsyncSession, number: int) -> None:
        repository = JobRepository(session)
        if number == 0:
            made = await repository.create_many_jobs([NewJob(type="t")] * 3)
            job_ids.extend(each.job.id for each in made)
        elif number == 1:
            await repository.update_job_status(job_ids[0], JobStatus.RUNNING)
        elif number == 2:
            await repository.log_job_event(job_ids[0], {})
        else:
            await repository.delete_job(job_ids[0])

    for number in range(4):
        async with session_scope(org_id, engine=engine) as session:
            await write(session, number)
        # Soon after the commit; a second one would come before the next.
        await until(lambda expected=number + 1: len(heard) >= expected)
        assert heard == [str(org_id)] * (number + 1)
    await listener.close()


async def test_a_session_of_another_kind_is_refused(engine: AsyncEngine) -> None:
    async with AsyncSession(engine) as session:
        with pytest.raises(TypeError, match="session_scope"):
            JobRepository(session)

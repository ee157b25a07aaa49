"""JobRepository.record_facts: workers of another queue tell what they saw."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.database_errors import is_retryable
from joblens import (
    Fact,
    InvalidJobError,
    JobRepository,
    JobStatus,
    ReadOnlyJobError,
    Source,
    StatusChange,
    session_scope,
)
from tests.support.statements import recorded

START = datetime(2026, 1, 1, tzinfo=UTC)
SHOP = Source("shop", "celery")
LIFE = [JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.FAILED, JobStatus.QUEUED]


def fact(name: str, step: int, **values: Any) -> Fact:
    return Fact(name, START + timedelta(seconds=step), LIFE[step], **values)


async def test_a_job_is_what_its_facts_add_up_to(engine: AsyncEngine, org_id: UUID) -> None:
    for step, new in ((2, 1), (0, 1), (3, 1), (1, 1), (2, 0)):
        async with session_scope(org_id, engine=engine) as session:
            told = [fact("1", step, type="mail")]
            result = await JobRepository(session).record_facts(SHOP, told)
        assert (result.recorded, result.known) == (new, 1 - new)
    async with session_scope(org_id, engine=engine) as session:
        (job,) = await JobRepository(session).get_jobs_by_type_and_status("mail", JobStatus.QUEUED)
        found = await JobRepository(session).get_job_with_events(job.id)
    assert found is not None
    assert [(e.next_status, e.attempt) for e in found.events] == [
        ("queued", 0),
        ("running", 1),
        ("failed", 1),
        ("queued", 1),
    ]
    assert (job.external_id, job.attempt, job.created_at) == ("1", 1, START)


async def test_the_next_fact_of_a_job_needs_no_events(engine: AsyncEngine, org_id: UUID) -> None:
    for told, is_read in [
        *((fact("1", step, attempt=min(step, 1)), False) for step in range(4)),
        (fact("1", 3, attempt=1), True),
        # Its events count for another type then.
        (Fact("1", START + timedelta(seconds=7), JobStatus.RUNNING, 2, type="mail"), True),
        (Fact("1", START + timedelta(seconds=8), JobStatus.FAILED, 2, type="mail"), False),
        (Fact("1", START + timedelta(seconds=9), JobStatus.RUNNING, 3, is_exact=False), True),
        (Fact("1", START + timedelta(seconds=10), JobStatus.RUNNING, 3), True),
        (Fact("1", START + timedelta(seconds=5), JobStatus.QUEUED, 1), True),
    ]:
        with recorded(engine) as sent:
            async with session_scope(org_id, engine=engine) as session:
                await JobRepository(session).record_facts(SHOP, [told])
        assert any("job_event.seq" in statement for statement in sent) == is_read, told


async def test_such_a_job_is_read_only(engine: AsyncEngine, org_id: UUID) -> None:
    async with session_scope(org_id, engine=engine) as session:
        repository = JobRepository(session)
        await repository.record_facts(SHOP, [fact("1", 0)])
        (job_id,) = await repository.get_job_ids_by_status(JobStatus.QUEUED)
        with pytest.raises(ReadOnlyJobError, match="run by another system"):
            await repository.update_job_status(job_id, JobStatus.RUNNING)
        with pytest.raises(ReadOnlyJobError) as raised:
            await repository.log_job_event(job_id, {"a": 1})
        change = StatusChange(job_id, JobStatus.RUNNING)
        (outcome,) = await repository.update_many_job_statuses([change])
        assert isinstance(outcome, ReadOnlyJobError)
        assert raised.value.outcome.job.id == job_id
        # Retention and erasure are no changes of what its source tells.
        assert await repository.delete_job(job_id)


async def test_what_a_call_may_have(engine: AsyncEngine, org_id: UUID) -> None:
    async with session_scope(org_id, engine=engine) as session:
        repository = JobRepository(session)
        for source, facts, field in (
            (Source("", "k"), [], "source.name"),
            (Source("s", "k" * 300), [], "source.kind"),
            (SHOP, [fact("1", 0)] * 1_001, "facts"),
        ):
            with pytest.raises(InvalidJobError) as raised:
                await repository.record_facts(source, facts)
            assert raised.value.field == field
            assert not is_retryable(raised.value, idempotent=True)
        result = await repository.record_facts(
            SHOP, [fact("", 0), fact("x" * 256, 0), fact("1", 0)]
        )
    assert [each.index for each in result.faults] == [0, 1]
    assert result.recorded == 1


async def test_an_organisation_has_a_hundred_sources(engine: AsyncEngine, org_id: UUID) -> None:
    async with session_scope(org_id, engine=engine) as session:
        repository = JobRepository(session)
        for number in range(100):
            await repository.record_facts(Source(f"s{number}", "k"), [fact("1", 0)])
        await repository.record_facts(Source("s7", "k"), [fact("2", 0)])
        with pytest.raises(InvalidJobError, match="at most 100 sources"):
            await repository.record_facts(SHOP, [fact("1", 0)])

"""Jobs counted by their last error: whatever changes it, and only while there are such jobs."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from db.commands.deletion import delete_jobs
from db.engine import Scope, create_engine
from db.facts import Fact, Source, job_id_of, record_facts
from db.queries.aggregates import group_jobs
from db.queries.dimensions import JobDimension
from db.request_session import RequestSession
from db.session_scope import session_scope
from db.statuses import JobStatus
from db.tables import job_table
from db.tallies.summing import Outcome, sum_once
from db.tallies.tallier import list_untallied_orgs
from tests.support.ledger import EPOCH

SHOP = Source("shop", "celery")
FAILED = Fact("1", EPOCH + timedelta(seconds=2), JobStatus.FAILED, 1, error_code="A")
# Of one job: that it failed with an error, that this was another one, and that it was none.
FACTS = [
    Fact("1", EPOCH, JobStatus.QUEUED, 0, type="mail"),
    Fact("1", EPOCH + timedelta(seconds=1), JobStatus.RUNNING, 1),
    FAILED,
    Fact("1", FAILED.ts, JobStatus.FAILED, 1, error_code="B", seen_at=EPOCH + timedelta(hours=1)),
    Fact("1", FAILED.ts, JobStatus.FAILED, 1, error_code="", seen_at=EPOCH + timedelta(hours=2)),
]
ERROR = "SELECT last_error_code FROM job WHERE org_id = $1"
KEPT = "SELECT error_code, jobs FROM error_job_tally WHERE org_id = $1 ORDER BY error_code"


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


async def sum_all(engine: AsyncEngine, org_id: UUID, now: datetime | None = None) -> None:
    while (await sum_once(engine, org_id, now=now)).outcome is not Outcome.DONE:
        pass


async def record(engine: AsyncEngine, org_id: UUID, *facts: Fact) -> None:
    async with session_scope(org_id, engine=engine) as session:
        recorded = await record_facts(session, org_id, SHOP, facts)
        assert not recorded.faults


async def by_error(engine: AsyncEngine, org_id: UUID) -> Mapping[str | None, int]:
    by = [JobDimension.LAST_ERROR_CODE]
    wanted = dict.fromkeys(("with_statuses", "with_times", "with_wait", "with_run"), False)
    async with RequestSession(engine, Scope(org_id, 60)) as session, session.use() as begun:
        rows = await group_jobs(begun, org_id, None, by, limit=9, now=datetime.now(UTC), **wanted)
        there = await begun.execute(select(job_table.c.id).where(job_table.c.org_id == org_id))
    found = {row.last_error_code: row.jobs for row in rows}
    assert sum(found.values()) == len(there.all())
    return found


@pytest.mark.parametrize("is_summed_between", [False, True])
async def test_facts_change_an_error_with_an_event_or_without(
    engine: AsyncEngine, owner: Any, is_summed_between: bool
) -> None:
    org_id = uuid4()
    await record(engine, org_id, FACTS[0])
    await sum_all(engine, org_id)
    errors = []
    for fact in FACTS[1:]:
        await record(engine, org_id, fact)
        errors.append(await owner.fetchval(ERROR, org_id))
        assert await by_error(engine, org_id) == {errors[-1]: 1}
        if is_summed_between:
            await sum_all(engine, org_id)
            assert await by_error(engine, org_id) == {errors[-1]: 1}
    assert errors == [None, "A", "B", None]


async def test_errors_that_no_job_has_any_more_are_dropped_once_an_hour(
    engine: AsyncEngine, owner: Any
) -> None:
    org_id = uuid4()
    names = ("1", "2")
    failed = [replace(FAILED, external_id=name, error_code=f"E{name}") for name in names]
    await record(engine, org_id, *failed)
    await sum_all(engine, org_id)
    async with session_scope(org_id, engine=engine) as session:
        assert await delete_jobs(session, org_id, [job_id_of("shop", "1")])
    assert await owner.fetch(KEPT, org_id) == [("E1", 0), ("E2", 1)]
    assert await by_error(engine, org_id) == {"E2": 1}
    await sum_all(engine, org_id, datetime.now(UTC) + timedelta(hours=1))
    assert await owner.fetch(KEPT, org_id) == [("E2", 1)]


async def test_they_are_counted_in_sums_that_an_older_version_made(
    engine: AsyncEngine, owner: Any
) -> None:
    org_id = uuid4()
    await record(engine, org_id, FAILED)
    await sum_all(engine, org_id)
    for table in ("error_job", "error_job_tally"):
        await owner.execute(f"DELETE FROM {table} WHERE org_id = $1", org_id)
    await owner.execute("UPDATE tally_state SET errors_seen = NULL WHERE org_id = $1", org_id)
    assert await by_error(engine, org_id) == {"A": 1}
    assert org_id in await list_untallied_orgs(engine)
    await sum_all(engine, org_id)
    assert org_id not in await list_untallied_orgs(engine)
    assert await owner.fetch(KEPT, org_id) == [("A", 1)]
    assert await by_error(engine, org_id) == {"A": 1}

"""What counts and charts of 200,000 jobs read once they are summed: as joblens_app, few rows."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from db.criteria import JobCriteria, TextCriteria
from db.engine import Scope, create_engine
from db.queries.aggregates import count_jobs_by_status, group_jobs
from db.queries.buckets import Buckets
from db.queries.dimensions import JobDimension
from db.queries.distribution_statements import binned
from db.queries.jobs import count_jobs
from db.queries.rows import read
from db.queries.timelines import count_changes, count_changes_by, count_jobs_by_status_at
from db.request_session import RequestSession
from db.statuses import JobStatus
from db.tallies.spans import Run
from db.tallies.summing import Outcome, sum_once
from tests.db.history import LARGEST
from tests.db.plans import Plan, caught, explain_sent
from tests.support.ledger import events, insert, job

Query = Callable[..., Awaitable[Any]]

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = [START + timedelta(days=days) for days in range(3)]
# The first and the last hour are cut.
HOURS = [START + timedelta(minutes=30 + 60 * hours) for hours in range(12)]
TYPE = JobCriteria(type=TextCriteria(eq="email.send"))
RARE = JobCriteria(type=TextCriteria(starts_with="image"), queue=TextCriteria(in_=["mail", "slow"]))
FAILED = JobCriteria(status=[JobStatus.FAILED])
SCOPE = Scope(LARGEST, statement_timeout_seconds=60)
# Of events that are not summed yet.
NEW = 20
# The keys: of each type, of each queue, and of their pairs.
QUEUES = 4
KEYS = 6 + QUEUES + 24
HOURS_OF_HISTORY = 19
SUMMED = "tally, tally_key, tally_duration, tally_state, error_job, error_job_tally"
# Of each pair, error and status of those that have an error.
OF_ERRORS = 24 * 10 * 2

counts = partial(count_jobs_by_status, at_most=None)
groups = partial(
    group_jobs,
    dimensions=[JobDimension.TYPE, JobDimension.STATUS],
    limit=50,
    now=START,
    with_statuses=True,
    with_times=False,
    with_wait=False,
    with_run=False,
)
by_error = partial(groups, dimensions=[JobDimension.LAST_ERROR_CODE, JobDimension.STATUS])
by_group_and_type = partial(groups, dimensions=[JobDimension.ERROR_GROUP, JobDimension.TYPE])
by_day = partial(count_changes, edges=DAYS)
by_day_and_queue = partial(count_changes_by, edges=DAYS, by=JobDimension.QUEUE, top=2, now=START)
counts_at = partial(count_jobs_by_status_at, until=DAYS[1])
with_durations = partial(count_changes, edges=DAYS, with_durations=True)
# The number of statements, and the most rows that all of them read: with that of tally_state.
QUERIES: dict[str, tuple[Query, JobCriteria | None, int, int]] = {
    "statusCounts": (counts, None, 3, 2 + NEW),
    "statusCounts of a status": (counts, FAILED, 3, 2 + NEW),
    "statusCounts of a type": (counts, TYPE, 4, KEYS + 2 + 2 * NEW),
    "statusCounts of few jobs": (counts, RARE, 4, KEYS + 3 + 2 * NEW),
    "count": (partial(count_jobs, at_most=None), None, 3, 2 + NEW),
    # The totals of all keys are side by side.
    "jobGroups": (groups, None, 4, 2 * (KEYS + 1) + 2 * NEW),
    "jobGroups by errors": (by_error, None, 4, OF_ERRORS + 2 + 3 * NEW),
    "jobGroups by errors of a status": (by_error, FAILED, 4, OF_ERRORS + 2 + 3 * NEW),
    "jobGroups by errors and types": (by_group_and_type, TYPE, 5, OF_ERRORS + 2 * KEYS + 3 * NEW),
    "timeline by day": (by_day, None, 3, 2 + NEW),
    "timeline by day of a type": (by_day, TYPE, 4, KEYS + 3 + 2 * NEW),
    "timelineBy": (by_day_and_queue, None, 6, KEYS + 1 + 2 * (2 * QUEUES + 2 * NEW)),
    "statusCounts(at:)": (counts_at, None, 3, 2 + NEW),
    "statusCounts(at:) of a type": (counts_at, TYPE, 4, KEYS + 3 + 2 * NEW),
    # The sketches are few here. Their bins are unnested.
    "timeline with durations": (with_durations, TYPE, 7, 3 * KEYS + 3 * NEW),
}


@pytest.fixture(scope="module")
async def engine(large_database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on the history, most of which is summed."""
    engine = create_engine(large_database_url)
    while (await sum_once(engine, LARGEST)).outcome is not Outcome.DONE:
        pass
    new = [job(number, org_id=LARGEST) for number in range(NEW)]
    await insert(large_database_url, new, [e for row in new for e in events(row, "queued")])
    owner = await asyncpg.connect(large_database_url)
    await owner.execute(f"ANALYZE {SUMMED}")
    await owner.close()
    yield engine
    await engine.dispose()


async def plans_of(
    engine: AsyncEngine, url: str, query: Query, criteria: JobCriteria | None, **given: Any
) -> list[list[Plan]]:
    """Get the plans of each statement that the query sends; `given`: as explain_sent has it."""

    def run(session: AsyncSession) -> Awaitable[Any]:
        return query(session, LARGEST, criteria)

    return [
        await explain_sent(url, SCOPE, *statement, **given)
        for statement in await caught(engine, SCOPE, run)
    ]


@pytest.mark.parametrize("name", QUERIES)
async def test_sums_are_read_instead_of_jobs(
    engine: AsyncEngine, large_database_url: str, name: str
) -> None:
    query, criteria, statements, most = QUERIES[name]
    found = await plans_of(engine, large_database_url, query, criteria)
    assert len(found) == statements
    # For the parameters that were sent, and for any.
    for plans in zip(*found, strict=True):
        read = sum(sum(plan.rows_read) - plan.rounding for plan in plans)
        assert read <= most, [plan.root for plan in plans]


@pytest.mark.parametrize("organisations", [10, 100_000])
@pytest.mark.parametrize("name", QUERIES)
async def test_of_the_largest_among_many_organisations_no_more_is_read(
    engine: AsyncEngine, large_database_url: str, name: str, organisations: int
) -> None:
    """A plan for any organisation, of which most have few jobs, would read all jobs of this."""
    query, criteria, _, most = QUERIES[name]
    found = await plans_of(engine, large_database_url, query, criteria, organisations=organisations)
    for plans in zip(*found, strict=True):
        read = sum(sum(plan.rows_read) - plan.rounding for plan in plans)
        assert read <= most, [plan.root for plan in plans]


async def test_cut_hours_are_read_from_their_events(
    engine: AsyncEngine, large_database_url: str
) -> None:
    found = await plans_of(
        engine, large_database_url, partial(count_changes, edges=[HOURS[0], HOURS[-1]]), TYPE
    )
    assert len(found) == 5
    for plans in found:
        for plan in plans:
            scanned = {
                node["Relation Name"] for node in plan if node["Node Type"].endswith("Seq Scan")
            }
            assert not scanned & {"job", "job_event", "tally"}, plan.root
    # Two half hours of nineteen hours, and the job of each of these events.
    (_, _, _, _, single) = found
    total = 2 * 200_000
    assert all(sum(plan.rows_read) <= 3 * total / HOURS_OF_HISTORY for plan in single)


async def test_a_duration_in_one_of_several_runs_counts_once(engine: AsyncEngine) -> None:
    # Of the history, only the last jobs were started.
    edges = [START + timedelta(hours=hours) for hours in (16, 17, 18)]
    parts = [Run(None, start, start + timedelta(minutes=5)) for start in edges[:2]]
    counted = []
    async with RequestSession(engine, SCOPE) as session, session.use() as begun:
        for runs in (parts, parts[:1], parts[1:]):
            buckets = Buckets.read_from(edges, runs)
            rows = await read(begun, binned, LARGEST, None, None, buckets)
            counted.append(sum(row.durations for row in rows))
    both, *each = counted
    assert both == sum(each) > 0

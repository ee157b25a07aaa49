"""Aggregates of jobs and events: counts by status, groups by any dimensions, the timeline."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Double,
    Interval,
    case,
    cast,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JobCriteria
from db.queries.filters import event, job, job_conditions, of_jobs
from db.queries.keyset import JOBS_NEWEST_FIRST, Window, page
from db.queries.rows import AnyRow, AnySelect, read_all
from db.statuses import JobStatus
from db.tables import Timestamp, job_table
from db.times import FIRST, LAST

PERCENTILES = (0.5, 0.95, 0.99)
_Percentiles: ARRAY[float] = ARRAY(Double())


class JobDimension(StrEnum):
    """What jobs can be grouped by; the values are columns."""

    STATUS = "status"
    TYPE = "type"
    QUEUE = "queue"
    REQUESTED_BY = "requested_by"
    LAST_ERROR_CODE = "last_error_code"
    PRIORITY = "priority"


async def count_jobs_by_status(
    session: AsyncSession, org_id: UUID, criteria: JobCriteria | None, at_most: int | None
) -> dict[JobStatus, int]:
    """Count jobs by status; with `at_most`, stop each status after `at_most` + 1 matches.

    A status without jobs is left out. With `at_most`, reads at most that many index entries a
    status when there are no criteria besides status.
    """
    conditions = job_conditions(org_id, criteria)
    statement: AnySelect
    if at_most is None:
        statement = select(job.status, func.count().label("jobs")).where(conditions)
        statement = statement.group_by(job.status)
    else:
        # Each status in the order of its index: else PostgreSQL may search the whole table for it.
        window = Window(JOBS_NEWEST_FIRST, at_most + 1)
        of_status = (
            select(job.status).where(
                conditions, job.status == literal(status.value, literal_execute=True)
            )
            for status in JobStatus
        )
        found = union_all(
            *(select(page(statement, window).subquery()) for statement in of_status)
        ).subquery("found")
        statement = select(found.c.status, func.count().label("jobs")).group_by(found.c.status)
    rows = await read_all(session, statement)
    return {JobStatus(row.status): row.jobs for row in rows}


async def group_jobs(
    session: AsyncSession,
    org_id: UUID,
    criteria: JobCriteria | None,
    dimensions: Sequence[JobDimension],
    *,
    limit: int,
    now: datetime,
    with_wait: bool,
    with_run: bool,
) -> Sequence[AnyRow]:
    """Group jobs by the dimensions, the largest groups first.

    Rows have the dimensions' columns, `jobs`, `oldest_created_at`, `newest_created_at`, a count
    named after each status (`queued_count`), and with `with_wait` (`with_run`) the distribution
    of seconds as `wait_count`, `wait_avg`, `wait_min`, `wait_max` and `wait_percentiles`
    (`run_…`).
    Reads every job that meets the criteria.
    """
    keys = [job_table.c[dimension.value] for dimension in dimensions]
    total = func.count().label("jobs")
    statement = select(
        *keys,
        total,
        func.min(job.created_at).label("oldest_created_at"),
        func.max(job.created_at).label("newest_created_at"),
        *(
            func.count()
            .filter(job.status == literal(status.value, literal_execute=True))
            .label(f"{status.value}_count")
            for status in JobStatus
        ),
        *(_distribution("wait", wait_seconds(now)) if with_wait else ()),
        *(_distribution("run", run_seconds(now)) if with_run else ()),
    )
    statement = (
        statement.where(job_conditions(org_id, criteria))
        .group_by(*keys)
        .order_by(total.desc(), *keys)
        .limit(limit)
    )
    return await read_all(session, statement)


async def count_events_by_bucket(
    session: AsyncSession,
    org_id: UUID,
    criteria: JobCriteria | None,
    *,
    start: datetime,
    until: datetime,
    bucket: timedelta,
    origin: datetime,
) -> Sequence[AnyRow]:
    """Count changes of status from `start` until before `until`, by bucket and new status.

    Rows: `start` (of the bucket, aligned to `origin`), `created` (whether the job is new),
    `next_status`, `events`. Reads the events of the range from one index range.
    """
    bucket_start = func.date_bin(
        literal(bucket, Interval()), event.ts, literal(origin, Timestamp)
    ).label("start")
    created = event.prev_status.is_(None).label("created")
    statement = select(
        bucket_start, created, event.next_status, func.count().label("events")
    ).where(
        event.org_id == org_id,
        event.ts >= start,
        event.ts < until,
        event.prev_status.is_distinct_from(event.next_status),
    )
    if criteria is not None:
        statement = statement.where(of_jobs(org_id, criteria))
    statement = statement.group_by(bucket_start, created, event.next_status)
    return await read_all(session, statement)


def wait_seconds(now: datetime) -> ColumnElement[float | None]:
    """Write the rule of resolvers.durations.wait_seconds in SQL."""
    began = func.greatest(job.queued_at, job.scheduled_at)
    waits_now = job.status == literal(JobStatus.QUEUED.value, literal_execute=True)
    ended = case((waits_now, literal(now, Timestamp)), else_=job.started_at)
    return _seconds(began, ended)


def run_seconds(now: datetime) -> ColumnElement[float | None]:
    """Write the rule of resolvers.durations.run_seconds in SQL."""
    runs_now = job.status == literal(JobStatus.RUNNING.value, literal_execute=True)
    ended = case(
        (job.finished_at.is_not(None), job.finished_at),
        (runs_now, literal(now, Timestamp)),
    )
    return _seconds(job.started_at, ended)


def _seconds(began: ColumnElement[Any], ended: ColumnElement[Any]) -> ColumnElement[float | None]:
    between = _of_our_years(ended) - _of_our_years(began)
    elapsed: ColumnElement[Any] = cast(func.extract("epoch", between), Double())
    # greatest() passes over nulls, so an absent time must be kept absent by hand.
    return case((elapsed.is_not(None), func.greatest(elapsed, 0.0)))


def _of_our_years(time: ColumnElement[Any]) -> ColumnElement[Any]:
    """Take a time as it is shown: of infinity PostgreSQL knows no distance, and before 17 fails."""
    first, last = (literal(end, Timestamp) for end in (FIRST, LAST))
    return case((time < first, first), (time > last, last), else_=time)


def _distribution(name: str, seconds: ColumnElement[float | None]) -> list[ColumnElement[Any]]:
    return [
        func.count(seconds).label(f"{name}_count"),
        func.avg(seconds).label(f"{name}_avg"),
        func.min(seconds).label(f"{name}_min"),
        func.max(seconds).label(f"{name}_max"),
        func.percentile_cont(cast(list(PERCENTILES), _Percentiles))
        .within_group(seconds)
        .label(f"{name}_percentiles"),
    ]

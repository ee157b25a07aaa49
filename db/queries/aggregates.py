"""Aggregates of jobs and events: counts by status, groups by dimensions, the timeline."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Double,
    Interval,
    cast,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JobCriteria
from db.queries.durations import run_seconds, wait_seconds
from db.queries.filters import event, job, job_conditions, of_jobs
from db.queries.keyset import JOBS_NEWEST_FIRST, Window, page
from db.queries.rows import AnyRow, AnySelect, read
from db.statuses import JobStatus
from db.tables import Timestamp, job_table

PERCENTILES = (0.5, 0.95, 0.99)
_Percentiles: ARRAY[float] = ARRAY(Double())


class JobDimension(StrEnum):
    """The columns that jobs can be grouped by."""

    STATUS = "status"
    TYPE = "type"
    QUEUE = "queue"
    REQUESTED_BY = "requested_by"
    LAST_ERROR_CODE = "last_error_code"
    PRIORITY = "priority"


async def count_jobs_by_status(
    session: AsyncSession, org_id: UUID, criteria: JobCriteria | None, at_most: int | None
) -> dict[JobStatus, int]:
    """Count jobs by status; with `at_most`, stop at `at_most` + 1 matches per status.

    Statuses without jobs are omitted. With `at_most` and no criteria besides status, reads at most
    that many index entries per status.
    """
    if at_most is None:
        rows = await read(session, _counts, org_id, criteria)
    else:
        rows = await read(session, _bounded_counts, org_id, criteria, at_most + 1)
    return {JobStatus(row.status): row.jobs for row in rows}


def _counts(org_id: UUID, criteria: JobCriteria | None) -> AnySelect:
    statement = select(job.status, func.count().label("jobs"))
    return statement.where(job_conditions(org_id, criteria)).group_by(job.status)


def _bounded_counts(org_id: UUID, criteria: JobCriteria | None, most: int) -> AnySelect:
    # In index order for each status: otherwise PostgreSQL may scan the whole table.
    window = Window(JOBS_NEWEST_FIRST, most)
    conditions = job_conditions(org_id, criteria)
    of_status = (
        select(job.status).where(
            conditions, job.status == literal(status.value, literal_execute=True)
        )
        for status in JobStatus
    )
    matches = union_all(
        *(select(page(statement, window).subquery()) for statement in of_status)
    ).subquery("matches")
    return select(matches.c.status, func.count().label("jobs")).group_by(matches.c.status)


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
    """Group jobs by the dimensions, largest groups first.

    Rows have the dimensions' columns, `jobs`, `oldest_created_at`, `newest_created_at`, a count
    for each status (such as `queued_count`), and with `with_wait` (`with_run`) the distribution in
    seconds as `wait_count`, `wait_avg`, `wait_min`, `wait_max` and `wait_percentiles` (`run_…`).
    Reads every job that meets the criteria.
    """
    by = tuple(dimensions)
    return await read(session, _groups, org_id, criteria, by, limit, now, with_wait, with_run)


def _groups(
    org_id: UUID,
    criteria: JobCriteria | None,
    dimensions: Sequence[JobDimension],
    limit: int,
    now: datetime,
    with_wait: bool,
    with_run: bool,
) -> AnySelect:
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
    return (
        statement.where(job_conditions(org_id, criteria))
        .group_by(*keys)
        .order_by(total.desc(), *keys)
        .limit(literal(limit, BigInteger()))
    )


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
    """Count status changes by bucket and new status, from `start` (inclusive) to `until`.

    Rows have the bucket's `start`, aligned to `origin`, `created` (whether the job was created),
    `next_status` and `events`. Reads one index range.
    """
    return await read(session, _buckets, org_id, criteria, start, until, bucket, origin)


def _buckets(
    org_id: UUID,
    criteria: JobCriteria | None,
    start: datetime,
    until: datetime,
    bucket: timedelta,
    origin: datetime,
) -> AnySelect:
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
    return statement.group_by(bucket_start, created, event.next_status)


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

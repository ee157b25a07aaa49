"""Aggregates of jobs: counts by status, and groups by dimensions."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Double,
    cast,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JobCriteria
from db.queries.alternatives import job_ranges
from db.queries.counts import up_to
from db.queries.durations import run_seconds, wait_seconds
from db.queries.filters import job, job_conditions
from db.queries.keyset import JOBS_NEWEST_FIRST
from db.queries.rows import AnyRow, AnySelect, read, row_type
from db.queries.tallies import count_by_status, group_by_key, open_tallies, statuses_of
from db.statuses import JobStatus
from db.tables import job_table

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


# The dimensions that tallies know.
TALLIED = frozenset({JobDimension.STATUS, JobDimension.TYPE, JobDimension.QUEUE})


async def count_jobs_by_status(
    session: AsyncSession, org_id: UUID, criteria: JobCriteria | None, at_most: int | None
) -> dict[JobStatus, int]:
    """Count jobs by status; with `at_most`, counting may stop at `at_most` + 1 per status.

    Statuses without jobs may be omitted. Reads tallies if they know these jobs. Else, with
    `at_most` and no criteria besides status, it reads at most that many index entries per status.
    """
    tallies = await open_tallies(session, org_id, criteria)
    if tallies is not None:
        counts = await count_by_status(session, tallies)
        return {status: counts[status] for status in statuses_of(criteria)}
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
    order = JOBS_NEWEST_FIRST
    whole, wanted = criteria or JobCriteria(), statuses_of(criteria)
    parts = [replace(whole, status=[each] if each in wanted else []) for each in JobStatus]
    of_status = (
        job_ranges(select(job.status), org_id, part, order, up_to(most, order)).first(most)
        for part in parts
    )
    matches = union_all(*(select(each.subquery()) for each in of_status)).subquery("matches")
    return select(matches.c.status, func.count().label("jobs")).group_by(matches.c.status)


async def group_jobs(
    session: AsyncSession,
    org_id: UUID,
    criteria: JobCriteria | None,
    dimensions: Sequence[JobDimension],
    *,
    limit: int,
    now: datetime,
    with_times: bool,
    with_wait: bool,
    with_run: bool,
) -> Sequence[AnyRow]:
    """Group jobs by the dimensions, largest groups first.

    Rows have the dimensions' columns, `jobs`, a count for each status (such as `queued_count`),
    with `with_times` also `oldest_created_at` and `newest_created_at`, and with `with_wait`
    (`with_run`) the distribution in seconds as `wait_count`, `wait_avg`, `wait_min`, `wait_max` and
    `wait_percentiles` (`run_…`). Reads every job that meets the criteria, unless nothing but counts
    by TALLIED dimensions is wanted and there are tallies of these jobs.
    """
    by = tuple(dimensions)
    if not (with_times or with_wait or with_run) and TALLIED.issuperset(by):
        tallies = await open_tallies(session, org_id, criteria)
        if tallies is not None:
            return _grouped(await group_by_key(session, tallies), by, statuses_of(criteria), limit)
    wanted = with_times, with_wait, with_run
    return await read(session, _groups, org_id, criteria, by, limit, now, *wanted)


def _grouped(
    rows: Sequence[AnyRow],
    dimensions: Sequence[JobDimension],
    statuses: Sequence[JobStatus],
    limit: int,
) -> list[AnyRow]:
    """Group rows that have a count for each status, as _groups does."""
    groups: dict[tuple[Any, ...], Counter[JobStatus]] = defaultdict(Counter)
    for row in rows:
        for status in statuses:
            values = {"status": status.value, "type": row.type, "queue": row.queue}
            key = tuple(values[dimension.value] for dimension in dimensions)
            groups[key][status] += getattr(row, status.value)
    names = [each.value for each in dimensions]
    make = row_type((*names, "jobs", *(f"{status.value}_count" for status in JobStatus)))
    largest = sorted(
        ((key, counts) for key, counts in groups.items() if counts.total()),
        key=lambda group: (-group[1].total(), group[0]),
    )
    return [
        make(*key, counts.total(), *(counts[status] for status in JobStatus))
        for key, counts in largest[:limit]
    ]


def _groups(
    org_id: UUID,
    criteria: JobCriteria | None,
    dimensions: Sequence[JobDimension],
    limit: int,
    now: datetime,
    with_times: bool,
    with_wait: bool,
    with_run: bool,
) -> AnySelect:
    keys = [job_table.c[dimension.value] for dimension in dimensions]
    total = func.count().label("jobs")
    statement = select(
        *keys,
        total,
        *(_created_at() if with_times else ()),
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


def _created_at() -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    oldest, newest = func.min(job.created_at), func.max(job.created_at)
    return oldest.label("oldest_created_at"), newest.label("newest_created_at")


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

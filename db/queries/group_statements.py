"""The statements of groups of jobs: of all jobs that meet criteria, or of those beside the rest."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Double,
    Label,
    cast,
    false,
    func,
    literal,
    literal_column,
    null,
    select,
    true,
    union_all,
)

from db.criteria import JobCriteria
from db.queries.dimensions import KEYED, JobDimension, value_of
from db.queries.durations import run_seconds, wait_seconds
from db.queries.error_jobs import counted_jobs
from db.queries.filters import job, job_conditions
from db.queries.health import is_unhealthy
from db.queries.rows import AnySelect
from db.statuses import JobStatus
from db.tables import job_table

PERCENTILES = (0.5, 0.95, 0.99)
_Percentiles: ARRAY[float] = ARRAY(Double())


def sparse_groups(
    org_id: UUID,
    criteria: JobCriteria | None,
    by: Sequence[JobDimension],
    sparse: JobDimension,
    limit: int,
    now: datetime,
    with_statuses: bool,
) -> AnySelect:
    """Group the jobs whose value is not that of REST: the largest groups, and sums of all of them.

    Rows are as those of all_groups, with `is_sum`.
    """
    of_jobs = [value_of(org_id, each, now) for each in by]
    is_other = (
        is_unhealthy(org_id, now)
        if sparse is JobDimension.HEALTH
        else job_table.c[sparse.value].is_not(None)
    )
    of_values = (
        select(*of_jobs, *_counts(job.status, with_statuses))
        .where(job_conditions(org_id, criteria), is_other)
        .group_by(*of_jobs)
    )
    return _with_sums(of_values, by, sparse, limit)


def error_groups(
    org_id: UUID,
    seen: str,
    criteria: JobCriteria | None,
    pairs: list[int] | None,
    by: Sequence[JobDimension],
    sparse: JobDimension,
    limit: int,
    with_statuses: bool,
) -> AnySelect:
    """Group the jobs with an error as sparse_groups does, by the counts of them."""
    counted = counted_jobs(org_id, seen, criteria, pairs, KEYED.intersection(by)).c
    keys = [counted[each.value] for each in by]
    of_values = (
        select(*keys, *_counts(counted.status, with_statuses, counted.jobs))
        .where(counted[sparse.value].is_not(None))
        .group_by(*keys)
        .having(func.sum(counted.jobs) > literal_column("0"))
    )
    return _with_sums(of_values, by, sparse, limit)


def _with_sums(
    groups: AnySelect, by: Sequence[JobDimension], sparse: JobDimension, limit: int
) -> AnySelect:
    of_values = groups.cte("of_values")
    names = [each.value for each in by]
    keys = [of_values.c[name] for name in names]
    counts = [column for column in of_values.c if column.name not in names]
    largest = (
        select(*keys, *counts, false().label("is_sum"))
        .order_by(of_values.c.jobs.desc(), *keys)
        .limit(literal(limit, BigInteger()))
        .subquery("largest")
    )
    others = [of_values.c[each.value] for each in by if each is not sparse]
    sums = (
        select(
            *(null().label(sparse) if each is sparse else of_values.c[each.value] for each in by),
            *(cast(func.sum(each), BigInteger()).label(each.name) for each in counts),
            true().label("is_sum"),
        )
        .group_by(*others)
        .having(func.count() > literal_column("0"))
    )
    return select(union_all(select(largest), sums).subquery("groups"))


def all_groups(
    org_id: UUID,
    criteria: JobCriteria | None,
    dimensions: Sequence[JobDimension],
    limit: int,
    now: datetime,
    with_statuses: bool,
    with_times: bool,
    with_wait: bool,
    with_run: bool,
) -> AnySelect:
    keys = [value_of(org_id, dimension, now) for dimension in dimensions]
    of_jobs = select(
        *keys,
        job.status.label("of_status"),
        job.created_at.label("of_time"),
        *((wait_seconds(now).label("wait"),) if with_wait else ()),
        *((run_seconds(now).label("run"),) if with_run else ()),
    ).where(job_conditions(org_id, criteria))
    if with_wait or with_run:
        # Otherwise PostgreSQL works out a duration again for each figure of it.
        of_jobs = of_jobs.offset(literal_column("0"))
    jobs = of_jobs.subquery("jobs").c
    own = [jobs[dimension.value] for dimension in dimensions]
    total, *counts = _counts(jobs.of_status, with_statuses)
    return (
        select(
            *own,
            total,
            *(_created_at(jobs.of_time) if with_times else ()),
            *counts,
            *(_distribution(jobs.wait) if with_wait else ()),
            *(_distribution(jobs.run) if with_run else ()),
        )
        .group_by(*own)
        .order_by(total.desc(), *own)
        .limit(literal(limit, BigInteger()))
    )


def _counts(
    status: ColumnElement[Any], with_statuses: bool, jobs: ColumnElement[int] | None = None
) -> list[Label[int]]:
    """Count all jobs, and those of each status if they are wanted.

    `jobs`: how many jobs a row stands for; one, unless given.
    """

    def count(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
        if jobs is None:
            return func.count().filter(*conditions) if conditions else func.count()
        number = func.sum(jobs).filter(*conditions) if conditions else func.sum(jobs)
        return cast(func.coalesce(number, literal_column("0")), BigInteger())

    of_statuses = (
        count(status == literal(each.value, literal_execute=True)).label(f"{each.value}_count")
        for each in JobStatus
    )
    return [count().label("jobs"), *(of_statuses if with_statuses else ())]


def _created_at(time: ColumnElement[Any]) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    return func.min(time).label("oldest_created_at"), func.max(time).label("newest_created_at")


def _distribution(seconds: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    name = seconds.name
    return [
        func.count(seconds).label(f"{name}_count"),
        func.avg(seconds).label(f"{name}_avg"),
        func.min(seconds).label(f"{name}_min"),
        func.max(seconds).label(f"{name}_max"),
        func.percentile_cont(cast(list(PERCENTILES), _Percentiles))
        .within_group(seconds)
        .label(f"{name}_percentiles"),
    ]

"""Aggregates over jobs: counts by status and groups."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from db.criteria import JobCriteria
from db.queries import aggregates as queries
from db.queries.dimensions import JobDimension
from db.queries.rows import AnyRow
from db.queries.timelines import count_jobs_by_status_at
from db.statuses import JobStatus
from resolvers.context import Context
from resolvers.counting import StatusCount, as_count, check_at_most
from resolvers.errors import BadUserInputError
from resolvers.narrowing import narrowed, narrowed_by_ids, narrowed_to_count
from resolvers.paging import list_size


@dataclass(frozen=True, slots=True)
class DurationStats:
    """Statistics of durations in seconds. Most are None if `count` is 0.

    If not `is_exact`, the percentiles are within 1 % of the exact ones.
    """

    count: int
    avg: float | None
    min: float | None
    max: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    is_exact: bool


NO_DURATIONS = DurationStats(0, None, None, None, None, None, None, is_exact=True)


@dataclass(frozen=True, slots=True)
class JobGroup:
    """The jobs that share a key. What was not requested is None, and `status_counts` empty."""

    key: dict[JobDimension, Any]
    count: int
    status_counts: list[StatusCount]
    oldest_created_at: datetime | None
    newest_created_at: datetime | None
    wait: DurationStats | None
    run: DurationStats | None


async def count_by_status(
    ctx: Context, criteria: JobCriteria | None, at_most: int | None, at: datetime | None = None
) -> list[StatusCount]:
    """Count the jobs of each status, up to `at_most` each; statuses without jobs have 0.

    `at`: by the status that they had at that time. Jobs that the criteria's own condition on the
    status leaves out are then those that had another one.
    """
    check_at_most(at_most)
    counts = await _counts(ctx, criteria, at_most, at)
    return [StatusCount(status, as_count(counts.get(status, 0), at_most)) for status in JobStatus]


async def _counts(
    ctx: Context, criteria: JobCriteria | None, at_most: int | None, at: datetime | None
) -> dict[JobStatus, int]:
    if at is None or at >= ctx.now:
        criteria = await narrowed_to_count(ctx, criteria, at_most)
        return await ctx.read(queries.count_jobs_by_status, criteria, at_most)
    criteria = await narrowed_by_ids(ctx, criteria)
    of_any_status = None if criteria is None else replace(criteria, status=None)
    until = at + timedelta(microseconds=1)
    counts = await ctx.read(count_jobs_by_status_at, of_any_status, until)
    if criteria is None or criteria.status is None:
        return counts
    return {status: counts[status] for status in criteria.status}


async def group_jobs(
    ctx: Context,
    criteria: JobCriteria | None,
    dimensions: Sequence[JobDimension],
    first: int | None,
    *,
    with_statuses: bool,
    with_times: bool,
    with_wait: bool,
    with_run: bool,
) -> list[JobGroup]:
    """Group jobs by one or more dimensions, the largest groups first.

    Raises BadUserInputError if `dimensions` is empty or `first` is out of bounds.
    """
    by = list(dict.fromkeys(dimensions))
    if not by:
        raise BadUserInputError("'by' must name at least one dimension.")
    rows = await ctx.read(
        queries.group_jobs,
        await narrowed(ctx, criteria, with_common=True),
        by,
        limit=list_size(first, "first", ctx.limits),
        now=ctx.now,
        with_statuses=with_statuses,
        with_times=with_times,
        with_wait=with_wait,
        with_run=with_run,
    )
    return [
        JobGroup(
            key={dimension: getattr(row, dimension.value) for dimension in by},
            count=row.jobs,
            status_counts=[
                StatusCount(status, as_count(getattr(row, f"{status.value}_count"), None))
                for status in (JobStatus if with_statuses else ())
            ],
            oldest_created_at=row.oldest_created_at if with_times else None,
            newest_created_at=row.newest_created_at if with_times else None,
            wait=_distribution(row, "wait") if with_wait else None,
            run=_distribution(row, "run") if with_run else None,
        )
        for row in rows
    ]


def duration_stats(count: int, values: Iterable[float | None], *, is_exact: bool) -> DurationStats:
    """Make statistics of the mean, the bounds and the percentiles."""
    # Times have microseconds: further digits of an interpolation are noise.
    avg, least, most, *percentiles = (None if v is None else round(v, 6) for v in values)
    p50, p95, p99 = percentiles
    return DurationStats(count, avg, least, most, p50, p95, p99, is_exact)


def _distribution(row: AnyRow, name: str) -> DurationStats:
    averages = (getattr(row, f"{name}_{statistic}") for statistic in ("avg", "min", "max"))
    percentiles = getattr(row, f"{name}_percentiles") or (None, None, None)
    count = getattr(row, f"{name}_count")
    return duration_stats(count, (*averages, *percentiles), is_exact=True)

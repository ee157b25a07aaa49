"""Aggregates over jobs: counts by status, groups and the timeline."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from db.criteria import JobCriteria
from db.queries import aggregates as queries
from db.queries.aggregates import JobDimension
from db.queries.rows import AnyRow
from db.statuses import JobStatus
from resolvers.context import Context
from resolvers.counting import StatusCount, as_count, check_at_most
from resolvers.errors import BadUserInputError
from resolvers.narrowing import narrowed
from resolvers.paging import list_size

MAX_BUCKETS = 1_000
# A Monday, so that weeks start on Mondays as in ISO 8601.
BUCKET_ORIGIN = datetime(2001, 1, 1, tzinfo=UTC)


class TimeBucketSize(StrEnum):
    """The length of the timeline's buckets."""

    MINUTE = "minute"
    FIVE_MINUTES = "five_minutes"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"

    @property
    def length(self) -> timedelta:
        """The length as a timedelta."""
        return _LENGTHS[self]


_LENGTHS = {
    TimeBucketSize.MINUTE: timedelta(minutes=1),
    TimeBucketSize.FIVE_MINUTES: timedelta(minutes=5),
    TimeBucketSize.HOUR: timedelta(hours=1),
    TimeBucketSize.DAY: timedelta(days=1),
    TimeBucketSize.WEEK: timedelta(weeks=1),
}


@dataclass(frozen=True, slots=True)
class DurationStats:
    """Statistics of durations in seconds. All but `count` are None if `count` is 0."""

    count: int
    avg: float | None
    min: float | None
    max: float | None
    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class JobGroup:
    """The jobs that share a key. `wait` and `run` are None if they were not requested."""

    key: dict[JobDimension, Any]
    count: int
    status_counts: list[StatusCount]
    oldest_created_at: datetime
    newest_created_at: datetime
    wait: DurationStats | None
    run: DurationStats | None


@dataclass(slots=True)
class TimeBucket:
    """The numbers of status changes in the interval that begins at `start`, by the new status."""

    start: datetime
    created: int = 0
    changes: dict[JobStatus, int] = field(default_factory=dict)


async def count_by_status(
    ctx: Context, criteria: JobCriteria | None, at_most: int | None
) -> list[StatusCount]:
    """Count the jobs of each status, up to `at_most` each; statuses without jobs have 0."""
    check_at_most(at_most)
    criteria = await narrowed(ctx, criteria)
    counts = await ctx.read(queries.count_jobs_by_status, criteria, at_most)
    return [StatusCount(status, as_count(counts.get(status, 0), at_most)) for status in JobStatus]


async def group_jobs(
    ctx: Context,
    criteria: JobCriteria | None,
    dimensions: Sequence[JobDimension],
    first: int | None,
    *,
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
        await narrowed(ctx, criteria),
        by,
        limit=list_size(first, "first", ctx.limits),
        now=ctx.now,
        with_wait=with_wait,
        with_run=with_run,
    )
    return [
        JobGroup(
            key={dimension: getattr(row, dimension.value) for dimension in by},
            count=row.jobs,
            status_counts=[
                StatusCount(status, as_count(getattr(row, f"{status.value}_count"), None))
                for status in JobStatus
            ],
            oldest_created_at=row.oldest_created_at,
            newest_created_at=row.newest_created_at,
            wait=_distribution(row, "wait") if with_wait else None,
            run=_distribution(row, "run") if with_run else None,
        )
        for row in rows
    ]


async def list_buckets(
    ctx: Context,
    criteria: JobCriteria | None,
    start: datetime,
    until: datetime,
    size: TimeBucketSize,
) -> list[TimeBucket]:
    """Count status changes from `start` to `until`, exclusive, in buckets aligned to UTC.

    Every bucket that overlaps the range is present; the first and the last count only changes
    within the range. Raises BadUserInputError for an empty range or more than MAX_BUCKETS.
    """
    if start >= until:
        raise BadUserInputError("'from' must be before 'until'.")
    starts = _bucket_starts(start, until, size.length)
    rows = await ctx.read(
        queries.count_events_by_bucket,
        await narrowed(ctx, criteria),
        start=start,
        until=until,
        bucket=size.length,
        origin=BUCKET_ORIGIN,
    )
    buckets = {bucket_start: TimeBucket(bucket_start) for bucket_start in starts}
    for row in rows:
        bucket = buckets[row.start]
        if row.created:
            bucket.created += row.events
        # The first event of an imported history may also be a start or an end.
        status = JobStatus(row.next_status)
        bucket.changes[status] = bucket.changes.get(status, 0) + row.events
    return list(buckets.values())


def _bucket_starts(start: datetime, until: datetime, length: timedelta) -> list[datetime]:
    first = (start - BUCKET_ORIGIN) // length
    end = -((BUCKET_ORIGIN - until) // length)
    count = end - first
    if count > MAX_BUCKETS:
        raise BadUserInputError(
            f"The range has {count} buckets; at most {MAX_BUCKETS} are allowed. Use a shorter "
            "range or larger buckets."
        )
    try:
        return [BUCKET_ORIGIN + length * i for i in range(first, end)]
    except OverflowError:
        raise BadUserInputError("The range starts before the first possible bucket.") from None


def _distribution(row: AnyRow, name: str) -> DurationStats:
    averages = (getattr(row, f"{name}_{statistic}") for statistic in ("avg", "min", "max"))
    percentiles = getattr(row, f"{name}_percentiles") or (None, None, None)
    # Times have microseconds: further digits of an interpolation are noise.
    seconds = (None if s is None else round(s, 6) for s in (*averages, *percentiles))
    return DurationStats(getattr(row, f"{name}_count"), *seconds)

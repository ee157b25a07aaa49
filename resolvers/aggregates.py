"""Aggregates: counts by status, groups, the timeline."""

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
from resolvers.paging import list_size

MAX_BUCKETS = 1_000
# A Monday, so that weeks begin on Mondays, as ISO 8601 has it.
BUCKET_ORIGIN = datetime(2001, 1, 1, tzinfo=UTC)


class TimeBucketSize(StrEnum):
    """How long a bucket of the timeline is."""

    MINUTE = "minute"
    FIVE_MINUTES = "five_minutes"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"

    @property
    def length(self) -> timedelta:
        """The time from one bucket's start to the next."""
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
    """The distribution of durations, in seconds; all but `count` are None when there are none."""

    count: int
    avg: float | None
    min: float | None
    max: float | None
    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class JobGroup:
    """The jobs that share a key. `wait` and `run` are None where nobody asked for them."""

    key: dict[JobDimension, Any]
    count: int
    status_counts: list[StatusCount]
    oldest_created_at: datetime
    newest_created_at: datetime
    wait: DurationStats | None
    run: DurationStats | None


@dataclass(slots=True)
class TimeBucket:
    """How many jobs took each step in one stretch of time, which begins at `start`."""

    start: datetime
    created: int = 0
    steps: dict[JobStatus, int] = field(default_factory=dict)


async def count_by_status(
    ctx: Context, criteria: JobCriteria | None, at_most: int | None
) -> list[StatusCount]:
    """Count the jobs of every status, those without a job with 0, each up to `at_most`."""
    check_at_most(at_most)
    found = await ctx.read(queries.count_jobs_by_status, criteria, at_most)
    return [StatusCount(status, as_count(found.get(status, 0), at_most)) for status in JobStatus]


async def group_jobs(
    ctx: Context,
    criteria: JobCriteria | None,
    dimensions: Sequence[JobDimension],
    first: int | None,
    *,
    with_wait: bool,
    with_run: bool,
) -> list[JobGroup]:
    """Group jobs by one dimension or more, the largest groups first."""
    chosen = list(dict.fromkeys(dimensions))
    if not chosen:
        raise BadUserInputError("'by' must name at least one dimension.")
    rows = await ctx.read(
        queries.group_jobs,
        criteria,
        chosen,
        limit=list_size(first, "first", ctx.limits),
        now=ctx.now,
        with_wait=with_wait,
        with_run=with_run,
    )
    return [
        JobGroup(
            key={dimension: getattr(row, dimension.value) for dimension in chosen},
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
    """Count the steps that jobs took from `start` until before `until`, by buckets aligned to UTC.

    Every bucket that the range touches is present; the first and the last count only what lies in
    the range. Raises BadUserInputError for an empty range and for more than MAX_BUCKETS.
    """
    if start >= until:
        raise BadUserInputError("'from' must be before 'until'.")
    starts = _bucket_starts(start, until, size.length)
    rows = await ctx.read(
        queries.count_events_by_bucket,
        criteria,
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
        # A history may begin late: its first event then is a start, or an end, too.
        status = JobStatus(row.next_status)
        bucket.steps[status] = bucket.steps.get(status, 0) + row.events
    return list(buckets.values())


def _bucket_starts(start: datetime, until: datetime, length: timedelta) -> list[datetime]:
    before_first = (start - BUCKET_ORIGIN) // length
    behind_last = -((BUCKET_ORIGIN - until) // length)
    if behind_last - before_first > MAX_BUCKETS:
        raise BadUserInputError(
            f"The range has {behind_last - before_first} buckets; at most {MAX_BUCKETS} are "
            "allowed. Take a shorter range or larger buckets."
        )
    try:
        return [BUCKET_ORIGIN + length * i for i in range(before_first, behind_last)]
    except OverflowError:
        raise BadUserInputError("The range begins before the first bucket of time.") from None


def _distribution(row: AnyRow, name: str) -> DurationStats:
    averages = (getattr(row, f"{name}_{part}") for part in ("avg", "min", "max"))
    percentiles = getattr(row, f"{name}_percentiles") or (None, None, None)
    # Times have microseconds; what an interpolation makes up behind them is noise.
    seconds = (None if s is None else round(s, 6) for s in (*averages, *percentiles))
    return DurationStats(getattr(row, f"{name}_count"), *seconds)

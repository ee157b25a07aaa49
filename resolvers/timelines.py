"""The changes of status of jobs over time: in one series, or in one for each of some values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from db.criteria import JobCriteria
from db.health import HealthVerdict
from db.queries import timelines as queries
from db.queries.dimensions import JobDimension
from db.queries.distributions import Distribution
from db.queries.timelines import Changes
from db.statuses import JobStatus
from db.tallies.durations import Kind
from resolvers.aggregates import NO_DURATIONS, DurationStats, duration_stats
from resolvers.context import Context
from resolvers.errors import BadUserInputError
from resolvers.narrowing import narrowed_by_ids
from resolvers.time_buckets import TimeBucketSize, bucket_edges

MAX_SERIES = 50
# What is made of the text of a value.
_READ: Mapping[JobDimension, Callable[[str], Any]] = {
    JobDimension.STATUS: JobStatus,
    JobDimension.HEALTH: HealthVerdict,
    JobDimension.ERROR_GROUP: UUID,
    JobDimension.SOURCE: UUID,
    JobDimension.PRIORITY: int,
}


@dataclass(frozen=True, slots=True)
class TimeRange:
    """The range and the buckets of a timeline."""

    start: datetime
    until: datetime
    size: TimeBucketSize
    time_zone: str

    def edges(self) -> list[datetime]:
        """Return the edges of the buckets; see bucket_edges."""
        return bucket_edges(self.start, self.until, self.size, self.time_zone)

    def within(self, edges: Sequence[datetime]) -> list[datetime]:
        """Return the edges of what is counted: only changes within the range."""
        return [self.start, *edges[1:-1], self.until]


@dataclass(frozen=True, slots=True)
class TimeBucket:
    """The numbers of status changes in the interval that begins at `start`, by the new status.

    `is_partial`: whether some of the interval is not in the range, or still to come. `wait` and
    `run` have no values if they were not requested.
    """

    start: datetime
    created: int
    changes: dict[JobStatus, int]
    is_partial: bool
    wait: DurationStats
    run: DurationStats


@dataclass(frozen=True, slots=True)
class TimelineSeries:
    """The buckets of the jobs with one value of a dimension, or of those with all other values."""

    key: dict[JobDimension, Any]
    is_rest: bool
    buckets: list[TimeBucket]


async def list_buckets(
    ctx: Context,
    criteria: JobCriteria | None,
    range_: TimeRange,
    *,
    with_durations: bool,
    only_created: bool,
) -> list[TimeBucket]:
    """Count status changes in buckets.

    Every bucket that overlaps the range is present; the first and the last count only changes
    within the range. `only_created`: other changes need not be counted. Raises BadUserInputError
    as bucket_edges does.
    """
    edges = range_.edges()
    found = await ctx.read(
        queries.count_changes,
        await narrowed_by_ids(ctx, criteria),
        range_.within(edges),
        with_durations=with_durations,
        only_created=only_created,
    )
    return _buckets(ctx, range_, edges, found)


async def list_series(
    ctx: Context,
    criteria: JobCriteria | None,
    range_: TimeRange,
    by: JobDimension,
    top: int,
    *,
    with_durations: bool,
) -> list[TimelineSeries]:
    """Count status changes in buckets for each value of a dimension.

    The `top` values with the most changes come first, then a series of the rest if there is any.
    Raises BadUserInputError as bucket_edges does, and if `top` is out of bounds.
    """
    if not 1 <= top <= MAX_SERIES:
        raise BadUserInputError(f"'top' must be between 1 and {MAX_SERIES}.")
    edges = range_.edges()
    within = range_.within(edges)
    criteria = await narrowed_by_ids(ctx, criteria)
    found = await ctx.read(
        queries.count_changes_by,
        criteria,
        within,
        by,
        top,
        now=ctx.now,
        with_durations=with_durations,
    )
    return [
        TimelineSeries(
            key={} if (is_rest := index == top) else {by: _value(by, value)},
            is_rest=is_rest,
            buckets=_buckets(ctx, range_, edges, changes),
        )
        for index, (value, changes) in enumerate(found)
    ]


def _value(by: JobDimension, text: str | None) -> Any:
    read = _READ.get(by)
    return text if read is None or text is None else read(text)


def _buckets(
    ctx: Context, range_: TimeRange, edges: Sequence[datetime], found: Sequence[Changes]
) -> list[TimeBucket]:
    until = min(range_.until, ctx.now)
    return [
        TimeBucket(
            start,
            changes.created,
            changes.entered,
            is_partial=start < range_.start or end > until,
            wait=duration_stats_of(changes.durations.get(Kind.WAIT)),
            run=duration_stats_of(changes.durations.get(Kind.RUN)),
        )
        for (start, end), changes in zip(pairwise(edges), found, strict=True)
    ]


def duration_stats_of(found: Distribution | None) -> DurationStats:
    """Make the statistics of a distribution; None has no durations."""
    if found is None:
        return NO_DURATIONS
    bounds = found.avg, found.min, found.max
    return duration_stats(found.count, (*bounds, *found.percentiles), is_exact=found.is_exact)

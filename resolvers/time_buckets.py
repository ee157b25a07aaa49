"""Buckets of time: their sizes, and the times at which they begin in a time zone."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from db.times import FIRST, LAST
from resolvers.errors import BadUserInputError

MAX_BUCKETS = 1_000
# A Monday, so that weeks start on Mondays as in ISO 8601.
_ORIGIN = datetime(2001, 1, 1, tzinfo=UTC)


class TimeBucketSize(StrEnum):
    """The length of the timeline's buckets."""

    MINUTE = "minute"
    FIVE_MINUTES = "five_minutes"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"

    @property
    def length(self) -> timedelta:
        """The length as a timedelta; days and weeks in which the offset changes differ."""
        return _LENGTHS[self]


_LENGTHS = {
    TimeBucketSize.MINUTE: timedelta(minutes=1),
    TimeBucketSize.FIVE_MINUTES: timedelta(minutes=5),
    TimeBucketSize.HOUR: timedelta(hours=1),
    TimeBucketSize.DAY: timedelta(days=1),
    TimeBucketSize.WEEK: timedelta(weeks=1),
}


def bucket_edges(
    start: datetime, until: datetime, size: TimeBucketSize, time_zone: str
) -> list[datetime]:
    """Return the starts of the buckets that overlap the range, and the end of the last one.

    Days begin at midnight of the time zone, weeks on its Mondays; shorter buckets are aligned to
    UTC. Raises BadUserInputError for an empty range, more than MAX_BUCKETS, or an unknown zone.
    """
    if start >= until:
        raise BadUserInputError("'from' must be before 'until'.")
    zone = _zone(time_zone)
    _check_count(-((start - until) // size.length))
    try:
        if size.length < _LENGTHS[TimeBucketSize.DAY]:
            edges = _equal(start, until, size.length)
        else:
            edges = _days(start, until, zone, size.length.days)
    except (OverflowError, ValueError):
        raise BadUserInputError("The range is beyond the first or last possible bucket.") from None
    _check_count(len(edges) - 1)
    return edges


def _check_count(count: int) -> None:
    if count > MAX_BUCKETS:
        raise BadUserInputError(
            f"The range has {count} buckets; at most {MAX_BUCKETS} are allowed. Use a shorter "
            "range or larger buckets."
        )


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone(name: str) -> ZoneInfo:
    if name not in _zones():
        message = "'timeZone' must be a name of the IANA database, such as 'Europe/Berlin'."
        raise BadUserInputError(message)
    return ZoneInfo(name)


def _equal(start: datetime, until: datetime, length: timedelta) -> list[datetime]:
    first = (start - _ORIGIN) // length
    end = -((_ORIGIN - until) // length)
    starts = [_ORIGIN + length * i for i in range(first, end)]
    return [*starts, LAST if LAST - starts[-1] < length else starts[-1] + length]


def _days(start: datetime, until: datetime, zone: ZoneInfo, length: int) -> list[datetime]:
    first = start.astimezone(zone).date()
    if length > 1:
        first -= timedelta(days=first.weekday())
    edges: list[datetime] = []
    for day in _steps(first, length):
        midnight = _midnight(day, zone)
        # A zone that moves across the date line leaves out a day.
        if not edges or midnight > edges[-1]:
            edges.append(midnight)
        if midnight >= until:
            return edges
    # The last bucket that there is.
    return [*edges, LAST]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    try:
        return datetime.combine(day, time(), zone).astimezone(UTC)
    except OverflowError:
        return FIRST if day.year == 1 else LAST


def _steps(first: date, length: int) -> Iterator[date]:
    """Yield days, `length` apart, and last the last one that there is."""
    while True:
        yield first
        if date.max - first < timedelta(days=length):
            break
        first += timedelta(days=length)

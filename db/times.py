"""Conversion of times between Python and PostgreSQL: out of the years 1 to 9999 they are clamped.

By default the driver maps Python's first and last time to PostgreSQL's infinity, reads infinity as
a time without an offset, and fails for other years.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from db.limits import MAX_INT64, MIN_INT64

FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)

_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NOTHING = timedelta(0)


class NoSuchTimeError(ValueError):
    """A text has the format of a time, but is not a time of the years 1 to 9999 in UTC."""


class _ClampedZone(tzinfo):
    """UTC, for a clamped time: `count` is the original one in microseconds since 2000."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.end = LAST if count > 0 else FIRST

    def utcoffset(self, _time: datetime | None) -> timedelta:
        return _NOTHING

    def dst(self, _time: datetime | None) -> timedelta:
        return _NOTHING

    def tzname(self, _time: datetime | None) -> str:
        return "UTC"


def parse_time(text: object) -> datetime:
    """Parse an RFC 3339 time with an offset into UTC; digits beyond microseconds are cut off.

    Raises ValueError for another format, and NoSuchTimeError if there is no such time.
    """
    if not isinstance(text, str) or not _RFC_3339.fullmatch(text):
        raise ValueError(text)
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NoSuchTimeError(text) from None


def time_fault(time: datetime) -> str | None:
    """Return why a column cannot store the time; None if it can."""
    if time.utcoffset() is None:
        return "It must have a time zone."
    is_within = FIRST <= time <= LAST and not isinstance(time.tzinfo, _ClampedZone)
    return None if is_within else "It must be in the years 1 to 9999 of UTC."


def to_microseconds(time: datetime) -> int:
    """Return the microseconds since 2000, as PostgreSQL counts; for clamped times the original."""
    count = clamped_from(time)
    return (time - _EPOCH) // _MICROSECOND if count is None else count


def clamped_from(time: datetime) -> int | None:
    """Return the microseconds since 2000 of which the time was clamped; None if it was not."""
    zone = time.tzinfo
    # A time computed from a clamped one has the same zone, but is not clamped.
    return zone.count if isinstance(zone, _ClampedZone) and time == zone.end else None


def from_microseconds(count: int) -> datetime:
    """Return the time of a count since 2000, clamped to Python's years; its zone keeps the count.

    Raises OverflowError if PostgreSQL has no such time.
    """
    try:
        return _EPOCH + timedelta(0, 0, count)
    except OverflowError:
        if not MIN_INT64 <= count <= MAX_INT64:
            raise
    zone = _ClampedZone(count)
    return zone.end.replace(tzinfo=zone)


async def set_codec(connection: Any) -> None:
    """Make an asyncpg connection convert times with this module. Costs no round trip."""
    await connection.set_type_codec(
        "timestamptz",
        schema="pg_catalog",
        encoder=lambda time: (to_microseconds(time),),
        decoder=lambda counts: from_microseconds(counts[0]),
        format="tuple",
    )

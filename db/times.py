"""Times between Python and PostgreSQL: the years 1 to 9999 as they are, others as their end.

Left alone, the driver writes the first and the last moment of Python as PostgreSQL's infinity,
reads infinity as a time without an offset, and fails on other years.
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
    """A text has the form of a time, but there is none in the years 1 to 9999 of UTC."""


class _Beyond(tzinfo):
    """UTC, for a moment that stands for one beyond Python's years: it knows which one."""

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
    """Read an RFC 3339 time with its offset, as UTC; finer than microseconds is cut off.

    Raises ValueError for what has another form, NoSuchTimeError where there is no such time.
    """
    if not isinstance(text, str) or not _RFC_3339.fullmatch(text):
        raise ValueError(text)
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NoSuchTimeError(text) from None


def time_fault(time: datetime) -> str | None:
    """Say why a column cannot take the time."""
    if time.utcoffset() is None:
        return "It must have a time zone."
    is_within = FIRST <= time <= LAST and not isinstance(time.tzinfo, _Beyond)
    return None if is_within else "It must be in the years 1 to 9999 of UTC."


def microseconds(time: datetime) -> int:
    """Count from 2000, as PostgreSQL does: exactly, also of what lies beyond Python's years."""
    zone = time.tzinfo
    # What was reckoned from it has its zone, too, but is another moment.
    if isinstance(zone, _Beyond) and time == zone.end:
        return zone.count
    return (time - _EPOCH) // _MICROSECOND


def moment(count: int) -> datetime:
    """Get the time of a count; one beyond Python's years is their end, and keeps its count.

    Raises OverflowError where PostgreSQL has no such time either.
    """
    try:
        return _EPOCH + timedelta(0, 0, count)
    except OverflowError:
        if not MIN_INT64 <= count <= MAX_INT64:
            raise
    beyond = _Beyond(count)
    return beyond.end.replace(tzinfo=beyond)


async def set_codec(connection: Any) -> None:
    """Let a connection of asyncpg read and write times so. Costs no round trip."""
    await connection.set_type_codec(
        "timestamptz",
        schema="pg_catalog",
        encoder=lambda time: (microseconds(time),),
        decoder=lambda counted: moment(counted[0]),
        format="tuple",
    )

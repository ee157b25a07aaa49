"""The spans of time that are summed, and how a range of time is put together of them.

Sums of minutes are kept for the last hours only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from itertools import pairwise

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# So long, and until the hour is full, sums of minutes are kept.
MINUTES_KEPT = timedelta(hours=2)
_ORIGIN = datetime(2001, 1, 1, tzinfo=UTC)


class Span(IntEnum):
    """The length of time that a row of `tally` sums, in UTC. TOTAL: all of it."""

    TOTAL = 0
    DAY = 1
    HOUR = 2
    MINUTE = 3


@dataclass(frozen=True, slots=True)
class Run:
    """The spans of one length from `start` to `until`, exclusive; `span` None: single events."""

    span: Span | None
    start: datetime
    until: datetime


_HOURS_AND_DAYS = (HOUR, Span.HOUR), (DAY, Span.DAY)
_DAYS = ((DAY, Span.DAY),)


def first_minute(now: datetime) -> datetime:
    """Return the time, a full hour, from which on sums of minutes are kept."""
    return _ORIGIN + (now - MINUTES_KEPT - _ORIGIN) // HOUR * HOUR


def runs(
    edges: Sequence[datetime], minutes_from: datetime | None, *, with_hours: bool = True
) -> list[Run]:
    """Put the buckets between these times, which ascend, together of as few spans as possible.

    No span reaches out of its bucket. `minutes_from`: a full hour, from which on there are sums of
    minutes, if there are any. Events are needed where even the shortest span would reach out.
    """
    longer = _HOURS_AND_DAYS if with_hours else _DAYS
    found: list[Run] = []
    for start, until in pairwise(edges):
        for part in _parts(start, until, longer, None):
            for run in _with_minutes(part, minutes_from):
                if found and found[-1].span is run.span:
                    found[-1] = replace(found[-1], until=run.until)
                else:
                    found.append(run)
    return found


def _with_minutes(part: Run, minutes_from: datetime | None) -> Iterator[Run]:
    """Use minutes in place of events, as far as there are sums of minutes."""
    if part.span is not None or minutes_from is None or part.until <= minutes_from:
        yield part
        return
    start = max(part.start, minutes_from)
    yield from _run(None, part.start, start)
    yield from _parts(start, part.until, ((MINUTE, Span.MINUTE),), None)


def _parts(
    start: datetime,
    until: datetime,
    longer_ones: Sequence[tuple[timedelta, Span]],
    span: Span | None,
) -> Iterator[Run]:
    """Use the longest spans in the middle of a bucket, and shorter ones on both sides of them."""
    if longer_ones:
        (length, longer), *rest = longer_ones
        first, last = -(-(start - _ORIGIN) // length), (until - _ORIGIN) // length
        if first < last:
            inner_start, inner_until = _ORIGIN + first * length, _ORIGIN + last * length
            yield from _run(span, start, inner_start)
            yield from _parts(inner_start, inner_until, rest, longer)
            yield from _run(span, inner_until, until)
            return
    yield from _run(span, start, until)


def _run(span: Span | None, start: datetime, until: datetime) -> Iterator[Run]:
    if start < until:
        yield Run(span, start, until)

"""The spans of time that are summed, and how a range of time is put together of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from itertools import pairwise

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_ORIGIN = datetime(2001, 1, 1, tzinfo=UTC)


class Span(IntEnum):
    """The length of time that a row of `tally` sums, in UTC. TOTAL: all of it."""

    TOTAL = 0
    DAY = 1
    HOUR = 2


@dataclass(frozen=True, slots=True)
class Run:
    """The spans of one length from `start` to `until`, exclusive; `span` None: single events."""

    span: Span | None
    start: datetime
    until: datetime


def runs(edges: Sequence[datetime]) -> list[Run]:
    """Put the buckets between these times, which ascend, together of as few spans as possible.

    No span reaches out of its bucket. Events are needed where even an hour would.
    """
    found: list[Run] = []
    for start, until in pairwise(edges):
        for part in _parts(start, until, ((HOUR, Span.HOUR), (DAY, Span.DAY)), None):
            if found and found[-1].span is part.span:
                found[-1] = replace(found[-1], until=part.until)
            else:
                found.append(part)
    return found


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

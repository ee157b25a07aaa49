"""The spans of time that are summed, and how a range of time is put together of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
class Segment:
    """A part of the bucket with this index: the spans from `start` to `until`, exclusive.

    `span` None: the events themselves, where a span would reach out of the bucket.
    """

    bucket: int
    span: Span | None
    start: datetime
    until: datetime


def segments(edges: Sequence[datetime]) -> list[Segment]:
    """Cut the buckets between these times, which ascend, into as few segments as possible."""
    buckets = enumerate(pairwise(edges))
    return [part for bucket, (start, until) in buckets for part in _cut(bucket, start, until)]


def _cut(bucket: int, start: datetime, until: datetime) -> Iterator[Segment]:
    yield from _around(bucket, start, until, ((HOUR, Span.HOUR), (DAY, Span.DAY)), None)


def _around(
    bucket: int,
    start: datetime,
    until: datetime,
    finer: Sequence[tuple[timedelta, Span]],
    span: Span | None,
) -> Iterator[Segment]:
    """Cut out the whole lengths of the next span, and use `span` on both sides of them."""
    if finer:
        (length, next_span), *rest = finer
        first, last = -(-(start - _ORIGIN) // length), (until - _ORIGIN) // length
        if first < last:
            inner_start, inner_until = _ORIGIN + first * length, _ORIGIN + last * length
            yield from _whole(bucket, span, start, inner_start)
            yield from _around(bucket, inner_start, inner_until, rest, next_span)
            yield from _whole(bucket, span, inner_until, until)
            return
    yield from _whole(bucket, span, start, until)


def _whole(bucket: int, span: Span | None, start: datetime, until: datetime) -> Iterator[Segment]:
    if start < until:
        yield Segment(bucket, span, start, until)

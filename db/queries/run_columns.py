"""Runs of spans as columns, which statements take as arrays."""

from collections.abc import Sequence
from datetime import datetime

from db.limits import MIN_INT64
from db.tallies.spans import Run
from db.times import FIRST, from_microseconds

# PostgreSQL's -infinity: events may have it, and are shown with the first time of Python.
_BEGINNING = from_microseconds(MIN_INT64)


def thresholds_of(edges: Sequence[datetime]) -> list[datetime]:
    """Return the starts of the buckets between these times."""
    return [_first(start) for start in edges[:-1]]


def starts_and_untils(found: Sequence[Run]) -> tuple[list[datetime], list[datetime]]:
    """Return the starts and the ends of runs."""
    return [_first(run.start) for run in found], [run.until for run in found]


def spans_of(found: Sequence[Run]) -> list[int]:
    """Return the spans of runs that have some."""
    return [int(run.span) for run in found if run.span is not None]


def _first(start: datetime) -> datetime:
    return _BEGINNING if start == FIRST else start

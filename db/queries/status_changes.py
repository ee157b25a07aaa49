"""Counts of status changes in buckets of time, from tallies where there are some."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JobCriteria
from db.limits import MIN_INT64
from db.queries import bucket_statements as statements
from db.queries.aggregates import JobDimension
from db.queries.bucket_statements import Series
from db.queries.rows import AnyRow, read
from db.queries.tallies import Tallies, open_tallies
from db.statuses import JobStatus
from db.tallies.spans import Run, runs
from db.times import FIRST, from_microseconds

# PostgreSQL's -infinity: events may have it, and are shown with the first time of Python.
_BEGINNING = from_microseconds(MIN_INT64)
# The dimensions of jobs that tallies know. They know the status of a job only at each time.
_TALLIED = frozenset({JobDimension.TYPE, JobDimension.QUEUE})


@dataclass(slots=True)
class Changes:
    """The changes of status in a bucket: how many jobs were created, entered and left a status."""

    created: int = 0
    entered: Counter[JobStatus] = field(default_factory=Counter)
    left: Counter[JobStatus] = field(default_factory=Counter)


async def count_changes(
    session: AsyncSession, org_id: UUID, criteria: JobCriteria | None, edges: Sequence[datetime]
) -> list[Changes]:
    """Count the changes of status of the jobs that meet the criteria in each bucket.

    The buckets are those between these times, which ascend. Without tallies for these criteria it
    reads all events between the first and the last.
    """
    tallies = await _tallies(session, org_id, criteria)
    found = [Changes() for _ in edges[1:]]
    for row in await _read(session, org_id, criteria, tallies, edges, None):
        _add(found[row.bucket], row)
    return found


async def count_changes_by(
    session: AsyncSession,
    org_id: UUID,
    criteria: JobCriteria | None,
    edges: Sequence[datetime],
    by: JobDimension,
    top: int,
) -> list[tuple[str | None, list[Changes]]]:
    """Count as count_changes does, for each of the values of a dimension with the most changes.

    Returns the values as text with their buckets, and last the sums of all other values if there
    are more than `top`, which must be at least 1.
    """
    tallies = await _tallies(session, org_id, criteria) if by in _TALLIED else None
    whole = [edges[0], edges[-1]]
    sizes: Counter[str | None] = Counter()
    for row in await _read(session, org_id, criteria, tallies, whole, Series(by, None)):
        sizes[row.series] += _size(row)
    values = sorted(sizes, key=lambda value: (-sizes[value], value or ""))
    if not values:
        return []
    series = Series(by, values[:top])
    found = [[Changes() for _ in edges[1:]] for _ in values[: top + 1]]
    for row in await _read(session, org_id, criteria, tallies, edges, series):
        # PostgreSQL counts from 1; a value that is not among them has none.
        _add(found[top if row.series is None else row.series - 1][row.bucket], row)
    return list(zip([*values[:top], None], found, strict=False))


async def count_jobs_by_status_at(
    session: AsyncSession, org_id: UUID, criteria: JobCriteria | None, until: datetime
) -> dict[JobStatus, int]:
    """Count the jobs by the status that they had before a time; other criteria hold as of now."""
    (changes,) = await count_changes(session, org_id, criteria, [FIRST, until])
    return {status: changes.entered[status] - changes.left[status] for status in JobStatus}


async def _tallies(
    session: AsyncSession, org_id: UUID, criteria: JobCriteria | None
) -> Tallies | None:
    if criteria is not None and criteria.status is not None:
        return None
    return await open_tallies(session, org_id, criteria)


async def _read(
    session: AsyncSession,
    org_id: UUID,
    criteria: JobCriteria | None,
    tallies: Tallies | None,
    edges: Sequence[datetime],
    series: Series | None,
) -> list[AnyRow]:
    thresholds = _thresholds(edges)
    if tallies is None:
        whole = False, thresholds, [thresholds[0]], [edges[-1]]
        return await read(session, statements.events, org_id, criteria, series, *whole)
    found = runs(edges)
    rows: list[AnyRow] = []
    if summed := [run for run in found if run.span is not None]:
        spans = [int(run.span) for run in summed if run.span is not None]
        keys = tallies.keys if series is None or tallies.criteria is not None else None
        ends = _ends(summed)
        rows += await read(session, statements.sums, org_id, keys, spans, series, thresholds, *ends)
        given = tallies.seen, tallies.criteria, series
        rows += await read(session, statements.unsummed_events, org_id, *given, thresholds, *ends)
    if single := [run for run in found if run.span is None]:
        asked = tallies.criteria, series, True, thresholds, *_ends(single)
        rows += await read(session, statements.events, org_id, *asked)
    return rows


def _add(changes: Changes, row: AnyRow) -> None:
    if hasattr(row, "next_status"):
        changes.entered[JobStatus(row.next_status)] += row.events
        if row.prev_status is None:
            changes.created += row.events
        else:
            changes.left[JobStatus(row.prev_status)] += row.events
        return
    changes.created += row.created
    for status in JobStatus:
        changes.entered[status] += getattr(row, f"entered_{status.value}")
        changes.left[status] += getattr(row, f"left_{status.value}")


def _size(row: AnyRow) -> int:
    """Return the number of changes that a row counts."""
    if hasattr(row, "next_status"):
        return int(row.events)
    return sum(getattr(row, f"entered_{status.value}") for status in JobStatus)


def _thresholds(edges: Sequence[datetime]) -> list[datetime]:
    """Return the starts of the buckets."""
    return [_first(start) for start in edges[:-1]]


def _ends(found: Sequence[Run]) -> tuple[list[datetime], list[datetime]]:
    return [_first(run.start) for run in found], [run.until for run in found]


def _first(start: datetime) -> datetime:
    return _BEGINNING if start == FIRST else start

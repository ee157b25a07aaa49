"""Counts of status changes in buckets of time, from tallies where there are some."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JobCriteria
from db.queries import timeline_statements as statements
from db.queries.buckets import Buckets, Keys, Series, names_of
from db.queries.dimensions import KEYED, JobDimension
from db.queries.distributions import Distribution, read_distributions
from db.queries.rows import AnyRow, read
from db.queries.tallies import Tallies, open_tallies
from db.statuses import JobStatus
from db.tallies.durations import Kind
from db.tallies.spans import Run, runs
from db.times import FIRST


@dataclass(slots=True)
class Changes:
    """The changes of status in a bucket: how many jobs were created, entered and left a status.

    `durations`: of the waits and the runs that they ended, if they were asked for.
    """

    created: int = 0
    entered: Counter[JobStatus] = field(default_factory=Counter)
    left: Counter[JobStatus] = field(default_factory=Counter)
    durations: dict[Kind, Distribution] = field(default_factory=dict)

    @property
    def ends(self) -> int:
        """About how many waits and runs they ended."""
        return self.entered[JobStatus.RUNNING] + self.left[JobStatus.RUNNING]


async def count_changes(
    session: AsyncSession,
    org_id: UUID,
    criteria: JobCriteria | None,
    edges: Sequence[datetime],
    *,
    with_durations: bool = False,
    only_created: bool = False,
) -> list[Changes]:
    """Count the changes of status of the jobs that meet the criteria in each bucket.

    The buckets are those between these times, which ascend. Without tallies for these criteria it
    reads all events between the first and the last. `only_created`: then it looks up the jobs of
    those alone that created one, and counts no other change.
    """
    tallies = await _tallies(session, org_id, criteria)
    found = [Changes() for _ in edges[1:]]
    given = criteria, tallies, edges, None
    for row in await _read(session, org_id, *given, only_created=only_created):
        _add(found[row.bucket], row)
    if with_durations:
        expected = sum(changes.ends for changes in found)
        durations = await read_distributions(session, org_id, *given, expected=expected)
        for (bucket, kind, _), each in durations.items():
            found[bucket].durations[kind] = each
    return found


async def count_changes_by(
    session: AsyncSession,
    org_id: UUID,
    criteria: JobCriteria | None,
    edges: Sequence[datetime],
    by: JobDimension,
    top: int,
    *,
    now: datetime,
    with_durations: bool = False,
) -> list[tuple[str | None, list[Changes]]]:
    """Count as count_changes does, for each of the values of a dimension with the most changes.

    Returns the values as text with their buckets, and last the sums of all other values if there
    are more than `top`, which must be at least 1. `now`: the time of the health.
    """
    tallies = await _tallies(session, org_id, criteria, [by]) if by in KEYED else None
    whole = [edges[0], edges[-1]]
    names = [] if tallies is None else names_of(tallies.keys, by)
    sizes: Counter[str | None] = Counter()
    given = criteria, tallies, whole, Series(by, None, now)
    rows = [
        (names[row.series] if isinstance(row.series, int) else row.series, row)
        for row in await _read(session, org_id, *given)
    ]
    for value, row in rows:
        sizes[value] += _size(row)
    values = sorted(sizes, key=lambda value: (-sizes[value], value or ""))
    if not values:
        return []
    series = Series(by, values[:top], now)
    found = [[Changes() for _ in edges[1:]] for _ in values[: top + 1]]
    if edges == whole:
        places = {value: min(place, top) for place, value in enumerate(values)}
        for value, row in rows:
            _add(found[places[value]][row.bucket], row)
    else:
        for row in await _read(session, org_id, criteria, tallies, edges, series):
            _add(found[_index(row.series, top)][row.bucket], row)
    if with_durations:
        expected = sum(changes.ends for each in found for changes in each)
        asked = criteria, tallies, edges, series
        durations = await read_distributions(session, org_id, *asked, expected=expected)
        for (bucket, kind, position), each in durations.items():
            found[_index(position, top)][bucket].durations[kind] = each
    return list(zip([*values[:top], None], found, strict=False))


def _index(position: int | None, top: int) -> int:
    return position - 1 if position else top


async def count_jobs_by_status_at(
    session: AsyncSession, org_id: UUID, criteria: JobCriteria | None, until: datetime
) -> dict[JobStatus, int]:
    """Count the jobs by the status that they had before a time; other criteria hold as of now."""
    (changes,) = await count_changes(session, org_id, criteria, [FIRST, until])
    return {status: changes.entered[status] - changes.left[status] for status in JobStatus}


async def _tallies(
    session: AsyncSession,
    org_id: UUID,
    criteria: JobCriteria | None,
    by: Collection[JobDimension] = (),
) -> Tallies | None:
    # They know the status of a job only at each time.
    if criteria is not None and criteria.status is not None:
        return None
    return await open_tallies(session, org_id, criteria, by)


async def _read(
    session: AsyncSession,
    org_id: UUID,
    criteria: JobCriteria | None,
    tallies: Tallies | None,
    edges: Sequence[datetime],
    series: Series | None,
    *,
    only_created: bool = False,
) -> list[AnyRow]:
    if tallies is None:
        whole = Buckets.read_from(edges, [Run(None, edges[0], edges[-1])])
        asked_for = criteria, series, whole, False, only_created
        return await read(session, statements.events, org_id, *asked_for)
    found = runs(edges, tallies.minutes_from)
    rows: list[AnyRow] = []
    if summed := [run for run in found if run.span is not None]:
        buckets = Buckets.read_from(edges, summed)
        keys = Keys.of(tallies.keys, series)
        rows += await read(session, statements.sums, org_id, keys, buckets)
        new = tallies.seen, tallies.criteria, series, buckets
        rows += await read(session, statements.unsummed_events, org_id, *new)
    if single := [run for run in found if run.span is None]:
        few = Buckets.read_from(edges, single)
        if series is not None and tallies.criteria is None:
            rows += await read(session, statements.events_of_jobs, org_id, series, few)
        else:
            asked = tallies.criteria, series, few, True
            rows += await read(session, statements.events, org_id, *asked)
    return rows


def _add(changes: Changes, row: AnyRow) -> None:
    if not _is_sum(row):
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


def _is_sum(row: AnyRow) -> bool:
    return hasattr(row, "created")


def _size(row: AnyRow) -> int:
    """Return the number of changes that a row counts."""
    if not _is_sum(row):
        return int(row.events)
    return sum(getattr(row, f"entered_{status.value}") for status in JobStatus)

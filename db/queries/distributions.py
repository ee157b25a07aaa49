"""Distributions of waits and runs in buckets of time, from sketches where there are many."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JobCriteria
from db.queries import distribution_statements as statements
from db.queries.buckets import Buckets, Keys, Series
from db.queries.group_statements import PERCENTILES
from db.queries.rows import AnyRow, read
from db.queries.tallies import Tallies
from db.tallies.durations import Kind
from db.tallies.sketches import Sketch
from db.tallies.spans import HOUR, Run, runs

# So many durations are read one by one, so that their percentiles are exact.
EXACT_AT_MOST = 20_000
# Of so many the job of each is looked up; a join may read all jobs to find those of less.
LOOKED_UP_AT_MOST = 200_000

# A bucket's index, the kind, and the series if some are wanted.
Place = tuple[int, Kind, int | None]


@dataclass(frozen=True, slots=True)
class Distribution:
    """The durations of a bucket in seconds. If not `is_exact`, percentiles are within 1 %."""

    count: int
    avg: float
    min: float
    max: float
    percentiles: Sequence[float]
    is_exact: bool


async def read_distributions(
    session: AsyncSession,
    org_id: UUID,
    criteria: JobCriteria | None,
    tallies: Tallies | None,
    edges: Sequence[datetime],
    series: Series | None,
    *,
    expected: int,
) -> dict[Place, Distribution]:
    """Read the distributions of the buckets between these times; those without any are omitted.

    `expected`: about how many durations there are.
    """
    found = None if tallies is None else _sketched_runs(tallies, edges, series, expected)
    if tallies is None or found is None:
        whole = Buckets.read_from(edges, [Run(None, edges[0], edges[-1])])
        given = org_id, criteria, series, whole, expected <= LOOKED_UP_AT_MOST
        rows = await read(session, statements.exact, *given)
        return {_place(row): _exact(row) for row in rows}
    sketches = await _sketches(session, tallies, edges, found, series)
    return {place: _of_sketch(each) for place, each in sketches.items() if each.count}


def _sketched_runs(
    tallies: Tallies, edges: Sequence[datetime], series: Series | None, expected: int
) -> list[Run] | None:
    """Put the buckets together of sketches; None if all durations are to be read one by one."""
    # Without criteria, `expected` bounds the events that are read. With criteria it does not: the
    # events of other jobs are read, too.
    if tallies.criteria is None and expected <= EXACT_AT_MOST:
        return None
    # Sketches of hours are of all jobs only.
    of_all = series is None and tallies.criteria is None
    found = runs(edges, tallies.minutes_from, with_hours=of_all)
    has_holes = any(run.span is None and run.until - run.start >= HOUR for run in found)
    return None if has_holes and not of_all else found


async def _sketches(
    session: AsyncSession,
    tallies: Tallies,
    edges: Sequence[datetime],
    found: Sequence[Run],
    series: Series | None,
) -> dict[Place, Sketch]:
    sketches: dict[Place, Sketch] = defaultdict(Sketch)
    org_id = tallies.org_id
    if summed := [run for run in found if run.span is not None]:
        buckets = Buckets.read_from(edges, summed)
        kept = org_id, Keys.of(tallies.keys, series), buckets
        for row in await read(session, statements.sketched, *kept):
            sketches[_place(row)].merge(row.bins, row.counts)
        for row in await read(session, statements.summed, *kept):
            sketches[_place(row)].widen(row.total, row.least, row.most)
        new = org_id, tallies.seen, tallies.criteria, series, buckets
        _add(sketches, await read(session, statements.unsummed_binned, *new))
    if single := [run for run in found if run.span is None]:
        few = org_id, tallies.criteria, series, Buckets.read_from(edges, single)
        _add(sketches, await read(session, statements.binned, *few))
    return sketches


def _add(sketches: dict[Place, Sketch], rows: Iterable[AnyRow]) -> None:
    for row in rows:
        sketch = sketches[_place(row)]
        sketch.add(row.bin, row.durations)
        sketch.widen(row.total, row.least, row.most)


def _place(row: AnyRow) -> Place:
    return row.bucket, Kind(row.kind), getattr(row, "series", None) or None


def _exact(row: AnyRow) -> Distribution:
    bounds = row.avg, row.min, row.max
    return Distribution(row.durations, *bounds, row.percentiles, is_exact=True)


def _of_sketch(sketch: Sketch) -> Distribution:
    assert sketch.least is not None
    assert sketch.most is not None
    mean = sketch.total / sketch.count
    percentiles = sketch.percentiles(PERCENTILES)
    return Distribution(sketch.count, mean, sketch.least, sketch.most, percentiles, is_exact=False)

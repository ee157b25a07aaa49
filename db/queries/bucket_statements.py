"""The statements of db.queries.status_changes: sums and events in parts of time.

A part is a bucket's index with a start and an end. Rows have the bucket, and its `series` if some
are wanted.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    Integer,
    SmallInteger,
    Text,
    and_,
    cast,
    column,
    func,
    literal,
    select,
)
from sqlalchemy.sql.selectable import TableValuedAlias

from db.criteria import JobCriteria
from db.queries.aggregates import JobDimension
from db.queries.filters import Condition, event, is_any, job, job_conditions, of_jobs
from db.queries.rows import AnySelect
from db.queries.tallies import unsummed
from db.tables import (
    Timestamp,
    job_event_table,
    job_table,
    tally_key_table,
    tally_table,
)
from db.tallies.keys import ALL

tally = tally_table.c
key = tally_key_table.c


@dataclass(frozen=True, slots=True)
class Series:
    """The values of a dimension, as text: each one, or the position of each of those `of` them."""

    by: JobDimension
    of: list[str | None] | None

    def column(self, value: Column[Any]) -> ColumnElement[Any]:
        """Return the column of the series, from that of the value."""
        text = cast(value, Text())
        if self.of is None:
            return text.label("series")
        # Finds nulls, too.
        return func.array_position(literal(self.of, ARRAY(Text())), text).label("series")


def sums(
    org_id: UUID,
    keys: list[int] | None,
    spans: list[int],
    series: Series | None,
    buckets: list[int],
    starts: list[datetime],
    untils: list[datetime],
) -> AnySelect:
    """Add up the sums of these keys, or of all but that of all jobs, by bucket."""
    part = _parts(buckets, starts, untils, spans)
    of_keys = tally.key_id != ALL if keys is None else is_any(tally.key_id, keys, Integer())
    of_part = and_(
        tally.org_id == org_id,
        tally.span == part.c.span,
        of_keys,
        tally.start >= part.c.start,
        tally.start < part.c.until,
    )
    counts = [each for each in tally if each.name not in {"org_id", "span", "key_id", "start"}]
    added = [cast(func.sum(each), BigInteger()).label(each.name) for each in counts]
    joined = part.join(tally_table, of_part)
    if series is None:
        return select(part.c.bucket, *added).select_from(joined).group_by(part.c.bucket)
    of_key = and_(key.org_id == org_id, key.id == tally.key_id)
    value = series.column(key[series.by.value])
    return (
        select(part.c.bucket, value, *added)
        .select_from(joined.join(tally_key_table, of_key))
        .group_by(part.c.bucket, value)
    )


def unsummed_events(
    org_id: UUID,
    seen: str,
    criteria: JobCriteria | None,
    series: Series | None,
    buckets: list[int],
    starts: list[datetime],
    untils: list[datetime],
) -> AnySelect:
    """Count the events that are not summed yet by bucket and change."""
    part = _parts(buckets, starts, untils)
    return _counted(org_id, part, criteria, series, *unsummed(org_id, seen))


def events(
    org_id: UUID,
    criteria: JobCriteria | None,
    series: Series | None,
    buckets: list[int],
    starts: list[datetime],
    untils: list[datetime],
) -> AnySelect:
    """Count the events by bucket and change. Reads one index range for each part."""
    is_change = event.prev_status.is_distinct_from(event.next_status)
    return _counted(org_id, _parts(buckets, starts, untils), criteria, series, is_change)


def _parts(
    buckets: list[int], starts: list[datetime], untils: list[datetime], spans: Any = None
) -> TableValuedAlias:
    columns: list[tuple[Any, str, Any]] = [
        (buckets, "bucket", Integer()),
        (starts, "start", Timestamp),
        (untils, "until", Timestamp),
        *([] if spans is None else [(spans, "span", SmallInteger())]),
    ]
    return (
        func.unnest(*(literal(values, ARRAY(type_)) for values, _, type_ in columns))
        .table_valued(*(column(name, type_) for _, name, type_ in columns), name="part")
        .render_derived()
    )


def _counted(
    org_id: UUID,
    part: TableValuedAlias,
    criteria: JobCriteria | None,
    series: Series | None,
    *conditions: Condition,
) -> AnySelect:
    of_part = and_(event.org_id == org_id, event.ts >= part.c.start, event.ts < part.c.until)
    joined = part.join(job_event_table, of_part)
    keys: list[ColumnElement[Any]] = [part.c.bucket, event.prev_status, event.next_status]
    if series is not None:
        joined = joined.join(job_table, and_(job.org_id == org_id, job.id == event.job_id))
        keys.append(series.column(job_table.c[series.by.value]))
    statement = select(*keys, func.count().label("events")).select_from(joined).where(*conditions)
    if criteria is not None:
        # The jobs are joined, or looked for.
        meets = of_jobs if series is None else job_conditions
        statement = statement.where(meets(org_id, criteria))
    return statement.group_by(*keys)

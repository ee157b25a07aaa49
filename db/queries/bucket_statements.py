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
    true,
)
from sqlalchemy.sql.selectable import FromClause, TableValuedAlias

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
    joined, keys = _changes(org_id, series)
    of_part = and_(event.ts >= part.c.start, event.ts < part.c.until)
    statement = select(part.c.bucket, *keys, func.count().label("events"))
    return (
        statement.select_from(joined.join(part, of_part))
        .where(*unsummed(org_id, seen), *_meets(org_id, criteria, series))
        .group_by(part.c.bucket, *keys)
    )


def events(
    org_id: UUID,
    criteria: JobCriteria | None,
    series: Series | None,
    buckets: list[int],
    starts: list[datetime],
    untils: list[datetime],
) -> AnySelect:
    """Count the events by bucket and change. Reads one index range for each part."""
    part = _parts(buckets, starts, untils)
    joined, keys = _changes(org_id, series)
    # In a subquery of its own: else PostgreSQL may read all events to join them with the parts.
    change = (
        select(*keys, func.count().label("events"))
        .select_from(joined)
        .where(
            event.org_id == org_id,
            event.ts >= part.c.start,
            event.ts < part.c.until,
            event.prev_status.is_distinct_from(event.next_status),
            *_meets(org_id, criteria, series),
        )
        .group_by(*keys)
        .lateral("change")
    )
    return select(part.c.bucket, *change.c).select_from(part.join(change, true()))


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


def _changes(org_id: UUID, series: Series | None) -> tuple[FromClause, list[ColumnElement[Any]]]:
    """Return the events, joined with their jobs if a series is wanted, and the keys to group by."""
    keys: list[ColumnElement[Any]] = [event.prev_status, event.next_status]
    if series is None:
        return job_event_table, keys
    own_job = and_(job.org_id == org_id, job.id == event.job_id)
    value = series.column(job_table.c[series.by.value])
    return job_event_table.join(job_table, own_job), [*keys, value]


def _meets(
    org_id: UUID, criteria: JobCriteria | None, series: Series | None
) -> tuple[Condition, ...]:
    if criteria is None:
        return ()
    # The jobs are joined, or looked for.
    return ((of_jobs if series is None else job_conditions)(org_id, criteria),)

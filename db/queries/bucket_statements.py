"""The statements of db.queries.status_changes: sums and events in runs of time, by bucket.

Buckets begin at `thresholds`. Rows have the bucket's index, and `series` if some are wanted.
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
    any_,
    cast,
    column,
    exists,
    func,
    literal,
    literal_column,
    select,
    true,
)
from sqlalchemy.sql.selectable import FromClause, TableValuedAlias

from db.criteria import JobCriteria
from db.queries.aggregates import JobDimension
from db.queries.filters import Condition, event, job, job_conditions, of_jobs
from db.queries.rows import AnySelect
from db.queries.tallies import unsummed
from db.tables import (
    Timestamp,
    job_table,
    tally_key_table,
    tally_table,
)

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
    thresholds: list[datetime],
    starts: list[datetime],
    untils: list[datetime],
) -> AnySelect:
    """Add up the sums of these keys, or of all but that of all jobs, by bucket."""
    run = runs_of(starts, untils, spans)
    groups: list[ColumnElement[Any]] = [bucket_of(tally.start, thresholds)]
    source: FromClause = tally_table
    if series is not None:
        of_key = and_(key.org_id == org_id, key.id == tally.key_id)
        source = source.join(tally_key_table, of_key)
        groups.append(series.column(key[series.by.value]))
    counts = [each for each in tally if each.name not in {"org_id", "span", "key_id", "start"}]
    # In a subquery of its own, which reads one range of the index for each key.
    summed = (
        select(*groups, *(cast(func.sum(each), BigInteger()).label(each.name) for each in counts))
        .select_from(source)
        .where(
            tally.org_id == org_id,
            tally.span == run.c.span,
            is_one_of(tally.key_id, org_id, keys),
            tally.start >= run.c.start,
            tally.start < run.c.until,
        )
        .group_by(*groups)
        .lateral("summed")
    )
    return select(*summed.c).select_from(run.join(summed, true()))


def unsummed_events(
    org_id: UUID,
    seen: str,
    criteria: JobCriteria | None,
    series: Series | None,
    thresholds: list[datetime],
    starts: list[datetime],
    untils: list[datetime],
) -> AnySelect:
    """Count the events that are not summed yet by bucket and change."""
    run = runs_of(starts, untils)
    within = exists().where(event.ts >= run.c.start, event.ts < run.c.until)
    groups = [bucket_of(event.ts, thresholds), *_change(org_id, series)]
    wanted = *unsummed(org_id, seen), *_meets(org_id, criteria), within
    return select(*groups, func.count().label("events")).where(*wanted).group_by(*groups)


def events(
    org_id: UUID,
    criteria: JobCriteria | None,
    series: Series | None,
    are_short: bool,
    thresholds: list[datetime],
    starts: list[datetime],
    untils: list[datetime],
) -> AnySelect:
    """Count the events by bucket and change. Reads one index range for each run.

    `are_short`: whether the runs are; else criteria that few jobs meet are looked for first.
    """
    run = runs_of(starts, untils)
    groups = [bucket_of(event.ts, thresholds), *_change(org_id, series)]
    # In a subquery of its own: else PostgreSQL may read all events to join them with the runs.
    change = (
        select(*groups, func.count().label("events"))
        .where(
            event.org_id == org_id,
            event.ts >= run.c.start,
            event.ts < run.c.until,
            event.prev_status.is_distinct_from(event.next_status),
            *_meets(org_id, criteria, one_by_one=are_short),
        )
        .group_by(*groups)
        .lateral("change")
    )
    return select(*change.c).select_from(run.join(change, true()))


def is_one_of(column_: Column[Any], org_id: UUID, keys: list[int] | None) -> Condition:
    """Match these keys, or all but that of all jobs."""
    wanted: Any = literal(keys, ARRAY(Integer()))
    if keys is None:
        wanted = func.array(select(key.id).where(key.org_id == org_id).scalar_subquery())
    return column_ == any_(wanted)


def bucket_of(time: ColumnElement[Any], thresholds: list[datetime]) -> ColumnElement[int]:
    """Return the index of the bucket that a time is in."""
    # PostgreSQL counts from 1.
    number = func.width_bucket(time, literal(thresholds, ARRAY(Timestamp)))
    return (number - literal_column("1")).label("bucket")


def runs_of(starts: list[datetime], untils: list[datetime], spans: Any = None) -> TableValuedAlias:
    """Return a table of runs, with their spans if they have some."""
    columns: list[tuple[Any, str, Any]] = [
        (starts, "start", Timestamp),
        (untils, "until", Timestamp),
        *([] if spans is None else [(spans, "span", SmallInteger())]),
    ]
    return (
        func.unnest(*(literal(values, ARRAY(type_)) for values, _, type_ in columns))
        .table_valued(*(column(name, type_) for _, name, type_ in columns), name="run")
        .render_derived()
    )


# Where events are few, the job of each is looked up by its key. In a join PostgreSQL, which cannot
# know how short a run is, may read all jobs instead.


def _change(org_id: UUID, series: Series | None) -> list[ColumnElement[Any]]:
    """Return the columns of a change, and its series if some are wanted."""
    columns: list[ColumnElement[Any]] = [event.prev_status, event.next_status]
    if series is None:
        return columns
    value = select(series.column(job_table.c[series.by.value])).where(
        job.org_id == org_id, job.id == event.job_id
    )
    return [*columns, value.scalar_subquery().label("series")]


def _meets(
    org_id: UUID, criteria: JobCriteria | None, *, one_by_one: bool = True
) -> list[Condition]:
    if criteria is None:
        return []
    if not one_by_one:
        return [of_jobs(org_id, criteria)]
    own_job = job.id == event.job_id
    # With OFFSET, PostgreSQL does not turn it into a join.
    return [exists(select(job.id).where(job_conditions(org_id, criteria), own_job).offset(0))]

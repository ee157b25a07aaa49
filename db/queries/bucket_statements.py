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
    job_event_table,
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
    run = _runs(starts, untils, spans)
    wanted: Any = literal(keys, ARRAY(Integer()))
    if keys is None:
        wanted = func.array(select(key.id).where(key.org_id == org_id).scalar_subquery())
    bucket = _bucket(tally.start, thresholds)
    groups = [bucket] if series is None else [bucket, tally.key_id]
    counts = [each for each in tally if each.name not in {"org_id", "span", "key_id", "start"}]
    # In a subquery of its own, which reads one range of the index for each key.
    summed = (
        select(*groups, *(cast(func.sum(each), BigInteger()).label(each.name) for each in counts))
        .where(
            tally.org_id == org_id,
            tally.span == run.c.span,
            tally.key_id == any_(wanted),
            tally.start >= run.c.start,
            tally.start < run.c.until,
        )
        .group_by(*groups)
        .lateral("summed")
    )
    joined = run.join(summed, true())
    if series is None:
        return select(*summed.c).select_from(joined)
    of_key = and_(key.org_id == org_id, key.id == summed.c.key_id)
    value = series.column(key[series.by.value])
    columns = [each for each in summed.c if each.name != "key_id"]
    return select(value, *columns).select_from(joined.join(tally_key_table, of_key))


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
    run = _runs(starts, untils)
    within = exists().where(event.ts >= run.c.start, event.ts < run.c.until)
    joined, keys = _changes(org_id, series)
    groups = [_bucket(event.ts, thresholds), *keys]
    statement = select(*groups, func.count().label("events")).select_from(joined)
    wanted = *unsummed(org_id, seen), *_meets(org_id, criteria, series), within
    return statement.where(*wanted).group_by(*groups)


def events(
    org_id: UUID,
    criteria: JobCriteria | None,
    series: Series | None,
    thresholds: list[datetime],
    starts: list[datetime],
    untils: list[datetime],
) -> AnySelect:
    """Count the events by bucket and change. Reads one index range for each run."""
    run = _runs(starts, untils)
    joined, keys = _changes(org_id, series)
    groups = [_bucket(event.ts, thresholds), *keys]
    # In a subquery of its own: else PostgreSQL may read all events to join them with the runs.
    change = (
        select(*groups, func.count().label("events"))
        .select_from(joined)
        .where(
            event.org_id == org_id,
            event.ts >= run.c.start,
            event.ts < run.c.until,
            event.prev_status.is_distinct_from(event.next_status),
            *_meets(org_id, criteria, series),
        )
        .group_by(*groups)
        .lateral("change")
    )
    return select(*change.c).select_from(run.join(change, true()))


def _bucket(time: ColumnElement[Any], thresholds: list[datetime]) -> ColumnElement[int]:
    # PostgreSQL counts from 1.
    number = func.width_bucket(time, literal(thresholds, ARRAY(Timestamp)))
    return (number - literal_column("1")).label("bucket")


def _runs(starts: list[datetime], untils: list[datetime], spans: Any = None) -> TableValuedAlias:
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

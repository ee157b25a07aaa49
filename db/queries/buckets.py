"""Buckets of time as arguments of statements, and the series that are wanted in each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    FromClause,
    Integer,
    SmallInteger,
    Table,
    Text,
    and_,
    any_,
    cast,
    column,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy.sql.selectable import TableValuedAlias

from db.limits import MIN_INT64
from db.queries.aggregates import JobDimension
from db.queries.filters import Condition
from db.tables import Timestamp, tally_key_table
from db.tallies.spans import Run
from db.times import FIRST, from_microseconds

# PostgreSQL's -infinity: events may have it, and are shown with the first time of Python.
_BEGINNING = from_microseconds(MIN_INT64)

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


@dataclass(frozen=True, slots=True)
class Buckets:
    """Buckets, which begin at `thresholds`, and the runs of time that a statement reads.

    The runs are columns: their starts, ends and, of sums, spans.
    """

    thresholds: list[datetime]
    starts: list[datetime]
    untils: list[datetime]
    spans: list[int] | None

    @classmethod
    def read_from(cls, edges: Sequence[datetime], runs: Sequence[Run]) -> Self:
        """Make the buckets between these times; the runs are all of sums, or all of events."""
        spans = [int(run.span) for run in runs if run.span is not None]
        return cls(
            [_first(start) for start in edges[:-1]],
            [_first(run.start) for run in runs],
            [run.until for run in runs],
            spans or None,
        )

    def index_of(self, time: ColumnElement[Any]) -> ColumnElement[int]:
        """Return the index of the bucket that a time is in."""
        # PostgreSQL counts from 1.
        number = func.width_bucket(time, literal(self.thresholds, ARRAY(Timestamp)))
        return (number - literal_column("1")).label("bucket")

    def runs(self) -> TableValuedAlias:
        """Return the table of the runs."""
        columns: list[tuple[Any, str, Any]] = [
            (self.starts, "start", Timestamp),
            (self.untils, "until", Timestamp),
            *([] if self.spans is None else [(self.spans, "span", SmallInteger())]),
        ]
        return (
            func.unnest(*(literal(values, ARRAY(type_)) for values, _, type_ in columns))
            .table_valued(*(column(name, type_) for _, name, type_ in columns), name="run")
            .render_derived()
        )


def with_keys(sums: Table, org_id: UUID, series: Series | None) -> FromClause:
    """Join sums with their keys if a series is wanted, whose column is of the key."""
    if series is None:
        return sums
    return sums.join(tally_key_table, and_(key.org_id == org_id, key.id == sums.c.key_id))


def in_run(
    sums: Table, org_id: UUID, keys: list[int] | None, run: TableValuedAlias
) -> tuple[Condition, ...]:
    """Match the sums of a run: those of these keys, or of all but that of all jobs."""
    wanted: Any = literal(keys, ARRAY(Integer()))
    if keys is None:
        wanted = func.array(select(key.id).where(key.org_id == org_id).scalar_subquery())
    return (
        sums.c.org_id == org_id,
        sums.c.span == run.c.span,
        sums.c.key_id == any_(wanted),
        sums.c.start >= run.c.start,
        sums.c.start < run.c.until,
    )


def _first(start: datetime) -> datetime:
    return _BEGINNING if start == FIRST else start

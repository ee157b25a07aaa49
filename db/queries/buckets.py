"""Buckets of time as arguments of statements, and the series that are wanted in each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    SmallInteger,
    Table,
    Text,
    cast,
    column,
    exists,
    func,
    literal,
    literal_column,
)
from sqlalchemy.sql.selectable import TableValuedAlias

from db.limits import MIN_INT64
from db.queries.dimensions import JobDimension, value_of
from db.queries.filters import Condition
from db.queries.tally_keys import Key
from db.tables import Timestamp
from db.tallies.spans import Run
from db.times import FIRST, from_microseconds

# PostgreSQL's -infinity: events may have it, and are shown with the first time of Python.
_BEGINNING = from_microseconds(MIN_INT64)
NO_POSITION = 0


@dataclass(frozen=True, slots=True)
class Series:
    """The values of a dimension, as text: each one, or the position of those `of` them, from 1.

    `now`: the time of the health.
    """

    by: JobDimension
    of: list[str | None] | None
    now: datetime

    def column(self, org_id: UUID) -> ColumnElement[Any]:
        """Return the series of a row of `job`."""
        text = cast(value_of(org_id, self.by, self.now), Text())
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

    def have(self, time: ColumnElement[Any]) -> Condition:
        """Match a time that is in one of the runs."""
        run = self.runs()
        return exists().where(time >= run.c.start, time < run.c.until)

    def runs(self) -> TableValuedAlias:
        """Return the table of the runs."""
        columns: list[tuple[Any, str, Any]] = [
            (self.starts, "start", Timestamp),
            (self.untils, "until", Timestamp),
            *([] if self.spans is None else [(self.spans, "span", SmallInteger())]),
        ]
        return _table("run", columns)


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of sums, and the number of the series of each if some are wanted."""

    ids: list[int]
    series: list[int] | None

    @classmethod
    def of(cls, keys: Sequence[Key], series: Series | None) -> Self:
        """Give each key the number of its series: its position, or the first index of its name."""
        ids = [key.id for key in keys]
        if series is None:
            return cls(ids, None)
        names = names_of(keys, series.by)
        if series.of is None:
            indexes: dict[str | None, int] = {}
            return cls(ids, [indexes.setdefault(name, n) for n, name in enumerate(names)])
        positions = {value: n for n, value in enumerate(series.of, 1)}
        return cls(ids, [positions.get(name, NO_POSITION) for name in names])

    def table(self) -> TableValuedAlias:
        """Return the table of the keys."""
        columns: list[tuple[Any, str, Any]] = [
            (self.ids, "id", Integer()),
            *([] if self.series is None else [(self.series, "series", Integer())]),
        ]
        return _table("key", columns)


def names_of(keys: Sequence[Key], by: JobDimension) -> list[str | None]:
    """Return the value of each key in a dimension."""
    return [getattr(key, by.value) for key in keys]


def in_run(
    sums: Table, org_id: UUID, key: TableValuedAlias, run: TableValuedAlias
) -> tuple[Condition, ...]:
    """Match the sums of a key in a run."""
    return (
        sums.c.org_id == org_id,
        sums.c.span == run.c.span,
        sums.c.key_id == key.c.id,
        sums.c.start >= run.c.start,
        sums.c.start < run.c.until,
    )


def _table(name: str, columns: Sequence[tuple[Any, str, Any]]) -> TableValuedAlias:
    return (
        func.unnest(*(literal(values, ARRAY(type_)) for values, _, type_ in columns))
        .table_valued(*(column(each, type_) for _, each, type_ in columns), name=name)
        .render_derived()
    )


def _first(start: datetime) -> datetime:
    return _BEGINNING if start == FIRST else start

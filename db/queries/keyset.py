"""Keyset pagination: the orders of lists, and the pages of a statement in these orders."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Integer, Uuid, literal, tuple_
from sqlalchemy.types import TypeEngine

from db.queries.rows import AnySelect
from db.tables import (
    FAR_FUTURE,
    Timestamp,
    error_group_table,
    future_if_null,
    job_event_table,
    job_table,
)
from db.templates import Constant

KeyValue = datetime | int | UUID | None
S = TypeVar("S", bound=AnySelect)


class JobOrderField(StrEnum):
    """The columns that a list of jobs can be ordered by."""

    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"
    FINISHED_AT = "finished_at"
    PRIORITY = "priority"
    SCHEDULED_AT = "scheduled_at"
    STARTED_AT = "started_at"


class ErrorGroupOrder(StrEnum):
    """The figures that a list of error groups can be ordered by."""

    LAST_SEEN = "last_seen"
    FIRST_SEEN = "first_seen"
    COUNT = "count"


group = error_group_table.c

_NULLABLE = frozenset(
    {JobOrderField.FINISHED_AT, JobOrderField.SCHEDULED_AT, JobOrderField.STARTED_AT}
)


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """One column of an order: the row's attribute, its SQL expression and its types.

    With `future_if_null`, a null sorts after every time.
    """

    attribute: str
    expression: ColumnElement[Any]
    sql_type: TypeEngine[Any]
    python_type: type[datetime | int | UUID]
    future_if_null: bool = False

    def bind(self, value: KeyValue) -> ColumnElement[Any]:
        return FAR_FUTURE if value is None else literal(value, self.sql_type)


@dataclass(frozen=True, slots=True, eq=False)
class KeysetOrder(Constant):
    """A total order of rows: the last column is unique, and all have the same direction."""

    name: str
    columns: tuple[KeyColumn, ...]
    descending: bool

    def key(self, row: Any) -> tuple[KeyValue, ...]:
        """Get the row's position in this order."""
        return tuple([getattr(row, column.attribute) for column in self.columns])


@dataclass(frozen=True, slots=True)
class Window:
    """At most `limit` rows of an order that follow the position `after`.

    `backward` reverses the direction. Without `after` the window starts at the first row (the last
    if `backward`). Rows *behind* a window are those from `after` on in the opposite direction.
    """

    order: KeysetOrder
    limit: int
    after: tuple[KeyValue, ...] | None = None
    backward: bool = False

    @property
    def is_descending(self) -> bool:
        """Whether values decrease in the direction of the window."""
        return self.order.descending != self.backward


def seek(statement: S, window: Window) -> S:
    """Keep the rows after the start of the window, in its direction, unordered."""
    if window.after is None:
        return statement
    position = _position(window.order)
    start = _bound(window)
    return statement.where(position < start if window.is_descending else position > start)


def seek_behind(statement: S, window: Window) -> S:
    """Keep the rows behind the window, nearest first."""
    position = _position(window.order)
    start = _bound(window)
    behind = statement.where(position >= start if window.is_descending else position <= start)
    return behind.order_by(*_ordering(window.order, down=not window.is_descending))


def page(statement: S, window: Window) -> S:
    """Keep the rows of the window, in its direction: one range of the order's index."""
    ordering = _ordering(window.order, down=window.is_descending)
    return seek(statement, window).order_by(*ordering).limit(literal(window.limit, BigInteger()))


def _ordering(order: KeysetOrder, *, down: bool) -> list[ColumnElement[Any]]:
    return [
        column.expression.desc() if down else column.expression.asc() for column in order.columns
    ]


def _position(order: KeysetOrder) -> ColumnElement[Any]:
    expressions = [column.expression for column in order.columns]
    return tuple_(*expressions) if len(expressions) > 1 else expressions[0]


def _bound(window: Window) -> ColumnElement[Any]:
    assert window.after is not None
    values = [
        column.bind(value) for column, value in zip(window.order.columns, window.after, strict=True)
    ]
    return tuple_(*values) if len(values) > 1 else values[0]


def _job_order(field: JobOrderField, *, descending: bool) -> KeysetOrder:
    column = job_table.c[field.value]
    if field in _NULLABLE:
        expression = future_if_null(field.value)
        first = KeyColumn(field.value, expression, Timestamp, datetime, future_if_null=True)
    elif field is JobOrderField.PRIORITY:
        first = KeyColumn("priority", column, Integer(), int)
    else:
        first = KeyColumn(field.value, column, Timestamp, datetime)
    name = f"{field.name}:{'DESC' if descending else 'ASC'}"
    return KeysetOrder(name, (first, KeyColumn("id", job_table.c.id, Uuid(), UUID)), descending)


JOB_ORDERS: Mapping[tuple[JobOrderField, bool], KeysetOrder] = MappingProxyType(
    {
        (field, descending): _job_order(field, descending=descending)
        for field in JobOrderField
        for descending in (False, True)
    }
)

JOBS_NEWEST_FIRST = JOB_ORDERS[JobOrderField.CREATED_AT, True]

_GROUP_KEYS: Mapping[ErrorGroupOrder, KeyColumn] = {
    ErrorGroupOrder.LAST_SEEN: KeyColumn("last_seen_at", group.last_seen_at, Timestamp, datetime),
    ErrorGroupOrder.FIRST_SEEN: KeyColumn(
        "first_seen_at", group.first_seen_at, Timestamp, datetime
    ),
    ErrorGroupOrder.COUNT: KeyColumn("events", group.events, BigInteger(), int),
}
ERROR_GROUP_ORDERS: Mapping[ErrorGroupOrder, KeysetOrder] = MappingProxyType(
    {
        order: KeysetOrder(
            f"ERROR_GROUPS:{order.name}",
            (column, KeyColumn("id", group.id, Uuid(), UUID)),
            descending=True,
        )
        for order, column in _GROUP_KEYS.items()
    }
)

EVENTS_NEWEST_FIRST = KeysetOrder(
    "EVENTS",
    (
        KeyColumn("ts", job_event_table.c.ts, Timestamp, datetime),
        KeyColumn("job_id", job_event_table.c.job_id, Uuid(), UUID),
        KeyColumn("seq", job_event_table.c.seq, Integer(), int),
    ),
    descending=True,
)

EVENTS_OF_JOB = KeysetOrder(
    "EVENTS_OF_JOB",
    (KeyColumn("seq", job_event_table.c.seq, Integer(), int),),
    descending=False,
)

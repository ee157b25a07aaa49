"""Keyset paging: the orders that lists offer, and a page of a statement in one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Uuid, literal, tuple_
from sqlalchemy.types import TypeEngine

from db.queries.rows import AnySelect
from db.tables import FAR_FUTURE, Timestamp, finished_order, job_event_table, job_table

KeyValue = datetime | int | UUID | None
S = TypeVar("S", bound=AnySelect)


class JobOrderField(StrEnum):
    """What a list of jobs can be ordered by."""

    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"
    FINISHED_AT = "finished_at"
    PRIORITY = "priority"


@dataclass(frozen=True, slots=True)
class KeyPart:
    """One column of an order: the row's attribute, what SQL sorts by, and the value's type.

    Where `future_if_null`, a null stands after every time.
    """

    attribute: str
    expression: ColumnElement[Any]
    sql_type: TypeEngine[Any]
    python_type: type[datetime | int | UUID]
    future_if_null: bool = False

    def bind(self, value: KeyValue) -> ColumnElement[Any]:
        return FAR_FUTURE if value is None else literal(value, self.sql_type)


@dataclass(frozen=True, slots=True)
class KeysetOrder:
    """A total order of rows: its parts end in a unique one, and all run in one direction."""

    name: str
    parts: tuple[KeyPart, ...]
    descending: bool

    def key(self, row: Any) -> tuple[KeyValue, ...]:
        """Get the row's place in this order."""
        return tuple(getattr(row, part.attribute) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Window:
    """Which rows of an order: at most `limit` behind the place `after`, in the direction of travel.

    Travelling `backward` goes against the order; `after` None starts at its beginning (its end).
    """

    order: KeysetOrder
    limit: int
    after: Sequence[KeyValue] | None = None
    backward: bool = False

    @property
    def runs_down(self) -> bool:
        """Whether values fall on the way."""
        return self.order.descending != self.backward


def seek(statement: S, window: Window) -> S:
    """Keep the rows behind the window's start, in the direction of travel, unordered yet."""
    if window.after is None:
        return statement
    place = _place(window.order)
    start = _bound(window)
    return statement.where(place < start if window.runs_down else place > start)


def seek_behind(statement: S, window: Window) -> S:
    """Keep the rows that the window leaves behind it: its start and all on the other side.

    They come nearest first, against the direction of travel.
    """
    place = _place(window.order)
    start = _bound(window)
    behind = statement.where(place >= start if window.runs_down else place <= start)
    return behind.order_by(*_ordering(window.order, down=not window.runs_down))


def page(statement: S, window: Window) -> S:
    """Keep the rows of the window, in the direction of travel: one range of the order's index."""
    ordering = _ordering(window.order, down=window.runs_down)
    return seek(statement, window).order_by(*ordering).limit(window.limit)


def _ordering(order: KeysetOrder, *, down: bool) -> list[ColumnElement[Any]]:
    return [part.expression.desc() if down else part.expression.asc() for part in order.parts]


def _place(order: KeysetOrder) -> ColumnElement[Any]:
    expressions = [part.expression for part in order.parts]
    return tuple_(*expressions) if len(expressions) > 1 else expressions[0]


def _bound(window: Window) -> ColumnElement[Any]:
    assert window.after is not None
    values = [
        part.bind(value) for part, value in zip(window.order.parts, window.after, strict=True)
    ]
    return tuple_(*values) if len(values) > 1 else values[0]


def _job_order(field: JobOrderField, *, descending: bool) -> KeysetOrder:
    column = job_table.c[field.value]
    if field is JobOrderField.FINISHED_AT:
        first = KeyPart("finished_at", finished_order, Timestamp, datetime, future_if_null=True)
    elif field is JobOrderField.PRIORITY:
        first = KeyPart("priority", column, Integer(), int)
    else:
        first = KeyPart(field.value, column, Timestamp, datetime)
    name = f"{field.name}:{'DESC' if descending else 'ASC'}"
    return KeysetOrder(name, (first, KeyPart("id", job_table.c.id, Uuid(), UUID)), descending)


JOB_ORDERS: Mapping[tuple[JobOrderField, bool], KeysetOrder] = MappingProxyType(
    {
        (field, descending): _job_order(field, descending=descending)
        for field in JobOrderField
        for descending in (False, True)
    }
)

JOBS_NEWEST_FIRST = JOB_ORDERS[JobOrderField.CREATED_AT, True]

EVENTS_NEWEST_FIRST = KeysetOrder(
    "EVENTS",
    (
        KeyPart("ts", job_event_table.c.ts, Timestamp, datetime),
        KeyPart("job_id", job_event_table.c.job_id, Uuid(), UUID),
        KeyPart("seq", job_event_table.c.seq, Integer(), int),
    ),
    descending=True,
)

EVENTS_OF_JOB = KeysetOrder(
    "EVENTS_OF_JOB",
    (KeyPart("seq", job_event_table.c.seq, Integer(), int),),
    descending=False,
)

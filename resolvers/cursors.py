"""Cursors: positions in a sort order as opaque text, valid only for that order.

The cursor of an event may have a mark, from which a subscription can resume.
"""

import base64
import binascii
from binascii import b2a_base64
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from db.limits import MAX_INT32, MIN_INT32
from db.queries.keyset import KeyColumn, KeysetOrder, KeyValue
from db.snapshots import Snapshot
from db.times import from_microseconds, to_microseconds
from resolvers.errors import InvalidCursorError

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
# Cursors have microseconds since 1970, db.times since 2000.
_MICROSECONDS_TO_2000 = 946_684_800_000_000


class Mark(NamedTuple):
    """What had been delivered when the cursor was made; see resolvers.live.progress."""

    seen: Snapshot
    cut: tuple[int, UUID, int] | None = None


def encode(order: KeysetOrder, row: Any, mark: Mark | None = None) -> str:
    """Encode the position of a row in `order`, and the mark if given."""
    values = [write(getattr(row, attribute)) for attribute, write in _writers(order)]
    marked = () if mark is None else (_marked(mark),)
    text = ",".join((f'["{order.name}"', *values, *marked)) + "]"
    return b2a_base64(text.encode(), newline=False).translate(_URL_SAFE, b"=").decode()


@cache
def _writers(order: KeysetOrder) -> list[tuple[str, Callable[[Any], str]]]:
    """Return how the values of an order are written as JSON, by the attributes of its rows."""
    return [
        (
            column.attribute,
            _nullable_time if column.future_if_null else _WRITERS[column.python_type],
        )
        for column in order.columns
    ]


def _time(time: datetime) -> str:
    return str(to_microseconds(time) + _MICROSECONDS_TO_2000)


def _nullable_time(time: datetime | None) -> str:
    return "null" if time is None else _time(time)


def _uuid(value: UUID) -> str:
    return f'"{value}"'


_WRITERS: Mapping[type, Callable[[Any], str]] = {datetime: _time, UUID: _uuid, int: str}


def _marked(mark: Mark) -> str:
    text = f'["{mark.seen.text()}"'
    # The cut is valid only if the snapshot was not shortened.
    if mark.cut is not None and mark.seen.is_short:
        xid, job_id, seq = mark.cut
        text += f',{xid},"{job_id}",{seq}'
    return f"{text}]"


def decode(order: KeysetOrder, cursor: str, argument: str) -> tuple[KeyValue, ...]:
    """Decode a position in `order`. Raises InvalidCursorError, which names `argument`."""
    return decode_marked(order, cursor, argument)[0]


def decode_marked(
    order: KeysetOrder, cursor: str, argument: str
) -> tuple[tuple[KeyValue, ...], Mark | None]:
    """Decode a position and its mark, if it has one. Raises InvalidCursorError as `decode` does."""
    try:
        packed = cursor.encode("ascii")
        name, *values = orjson.loads(
            base64.b64decode(packed + b"=" * (-len(packed) % 4), b"-_", True)
        )
        if name != order.name:
            raise InvalidCursorError(argument)
        size = len(order.columns)
        mark = _mark(*values.pop()) if len(values) == size + 1 else None
        columns = zip(order.columns, values, strict=True)
        return tuple(_value(column, value) for column, value in columns), mark
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError):
        raise InvalidCursorError(argument) from None


def _mark(text: str, *cut: Any) -> Mark:
    seen = Snapshot.parse(text)
    if not cut:
        return Mark(seen)
    xid, job_id, seq = cut
    if xid not in {seen.xmax, *seen.running} or type(seq) is not int or not 0 <= seq <= MAX_INT32:
        raise TypeError
    return Mark(seen, (xid, UUID(job_id), seq))


def _value(column: KeyColumn, value: object) -> KeyValue:
    if value is None and column.future_if_null:
        return None
    if column.python_type is UUID and isinstance(value, str):
        return UUID(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if column.python_type is datetime:
            return from_microseconds(value - _MICROSECONDS_TO_2000)
        if column.python_type is int and MIN_INT32 <= value <= MAX_INT32:
            return value
    raise TypeError

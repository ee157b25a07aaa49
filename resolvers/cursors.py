"""Cursors: positions in a sort order as opaque text, valid only for that order.

The cursor of an event may have a mark, from which a subscription can resume.
"""

import base64
import binascii
from datetime import datetime
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
    values = "".join([f",{_plain(value)}" for value in order.key(row)])
    marked = "" if mark is None else f",{_marked(mark)}"
    packed = binascii.b2a_base64(f'["{order.name}"{values}{marked}]'.encode(), newline=False)
    return packed.translate(_URL_SAFE, b"=").decode()


def _marked(mark: Mark) -> str:
    # The cut is valid only if the snapshot was not shortened.
    cut = mark.cut if mark.cut is not None and mark.seen.is_short else ()
    return f'["{mark.seen.text()}"{"".join(f",{_plain(value)}" for value in cut)}]'


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


def _plain(value: KeyValue) -> str:
    """Write a value as JSON."""
    if isinstance(value, datetime):
        return str(to_microseconds(value) + _MICROSECONDS_TO_2000)
    if isinstance(value, UUID):
        return f'"{value}"'
    return "null" if value is None else str(value)


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

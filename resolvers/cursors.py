"""Cursors: a place in an order as opaque text, bound to that order."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from db.limits import MAX_INT32, MIN_INT32
from db.queries.keyset import KeyPart, KeysetOrder, KeyValue
from db.times import microseconds, moment
from resolvers.errors import InvalidCursorError

# Cursors count times from 1970.
_MICROSECONDS_TO_2000 = 946_684_800_000_000


def encode(order: KeysetOrder, row: Any) -> str:
    """Write the row's place in this order."""
    values = [_plain(value) for value in order.key(row)]
    return base64.urlsafe_b64encode(orjson.dumps([order.name, *values])).rstrip(b"=").decode()


def decode(order: KeysetOrder, cursor: str, argument: str) -> Sequence[KeyValue]:
    """Read a place in this order; raise InvalidCursorError, naming the argument, if it is none."""
    try:
        packed = cursor.encode("ascii")
        name, *values = orjson.loads(
            base64.b64decode(packed + b"=" * (-len(packed) % 4), b"-_", True)
        )
        if name != order.name:
            raise InvalidCursorError(argument)
        return [_value(part, value) for part, value in zip(order.parts, values, strict=True)]
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError):
        raise InvalidCursorError(argument) from None


def _plain(value: KeyValue) -> int | str | None:
    if isinstance(value, datetime):
        return microseconds(value) + _MICROSECONDS_TO_2000
    return str(value) if isinstance(value, UUID) else value


def _value(part: KeyPart, value: object) -> KeyValue:
    if value is None and part.future_if_null:
        return None
    if part.python_type is UUID and isinstance(value, str):
        return UUID(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if part.python_type is datetime:
            return moment(value - _MICROSECONDS_TO_2000)
        if part.python_type is int and MIN_INT32 <= value <= MAX_INT32:
            return value
    raise TypeError

"""Any value as JSON of bounded size, without running code of the objects in it."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from math import isfinite
from pathlib import PurePath
from typing import Any
from uuid import UUID

MAX_TEXT = 10_000
_MAX_SIZE = 64_000
_MAX_DEPTH = 20
_CUT = "…"
# What json writes of a value besides its text, roughly: quotes, a comma.
_EACH = 4
# Their str() says it all, and does nothing else. That of a QuerySet of Django reads a database.
_SHOWN = (UUID, Decimal, datetime, date, time, timedelta, PurePath)


def bounded(text: str, size: int = MAX_TEXT) -> str:
    """Cut a text that is too long."""
    return text if len(text) <= size else text[: size - 1] + _CUT


def plain(value: Any) -> Any:
    """Return the value as json takes it.

    Objects that it does not know become the name of their class. What is too much, or nested too
    deeply, becomes an ellipsis.
    """
    return _Plain().of(value, 0)


class _Plain:
    """How much may still be added."""

    def __init__(self) -> None:
        self._left = _MAX_SIZE

    def of(self, value: Any, depth: int) -> Any:
        self._left -= _EACH
        # The usual types first: a job waits for this.
        usual = _USUAL.get(type(value))
        if usual is not None:
            return usual(self, value, depth)
        if isinstance(value, (Mapping, list, tuple, set, frozenset)):
            return self._container(value, depth)
        if isinstance(value, Enum):
            return self._text(value.name)
        return self._scalar(value)

    def _scalar(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(str(value))
        if isinstance(value, int):
            return self._number(value)
        if isinstance(value, float):
            return value if isfinite(value) else str(value)
        return self._text(str(value) if isinstance(value, _SHOWN) else _named(value))

    def _text(self, text: str) -> str:
        size = len(text)
        if size > self._left or size > MAX_TEXT:
            text = bounded(text, max(min(MAX_TEXT, self._left), 1))
            size = len(text)
        self._left -= size
        return text

    def _number(self, value: int) -> Any:
        # The largest that all readers of JSON keep is smaller; PostgreSQL's bigint has 64 bits.
        return int(value) if -(2**63) <= value < 2**63 else self._text(hex(value))

    def _container(self, value: Any, depth: int) -> Any:
        if depth >= _MAX_DEPTH:
            return _CUT
        if not isinstance(value, (dict, Mapping)):
            return list(self._items(value, depth))
        found: dict[str, Any] = {}
        for key, item in value.items():
            if self._left <= 0:
                found[_CUT] = _CUT
                break
            found[self._text(key if isinstance(key, str) else str(plain(key)))] = self.of(
                item, depth + 1
            )
        return found

    def _items(self, value: Any, depth: int) -> Any:
        for item in value:
            if self._left <= 0:
                yield _CUT
                return
            yield self.of(item, depth + 1)


_USUAL: Mapping[type, Callable[[_Plain, Any, int], Any]] = {
    str: lambda plain_, value, _: plain_._text(value),  # noqa: SLF001 - of the same module
    int: lambda plain_, value, _: plain_._number(value),  # noqa: SLF001
    bool: lambda _, value, __: value,
    type(None): lambda _, value, __: value,
    **dict.fromkeys((dict, list, tuple), _Plain._container),  # noqa: SLF001
}


def _named(value: Any) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"<{len(value)} bytes>"
    kind = type(value)
    return f"<{kind.__module__}.{kind.__qualname__}>"

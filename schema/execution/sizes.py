"""The bytes that objects and leaves of a response take at least."""

from collections.abc import Iterable
from typing import Any

import orjson

# The bytes of a field besides its name: quotes, colon, comma, and a value of one character.
FIELD_BYTES = 5


def object_bytes(names: Iterable[str]) -> int:
    """Return the bytes of an object with fields of these names, all of them short."""
    return sum(len(name.encode()) + FIELD_BYTES for name in names)


def leaf_bytes(value: Any) -> int:
    """Return the bytes of a value that may be long, text or JSON, besides FIELD_BYTES."""
    if isinstance(value, str):
        return len(value)
    return len(orjson.dumps(value)) if isinstance(value, orjson.Fragment) else 0

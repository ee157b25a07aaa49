"""Validation of values before they are stored: each function returns an error message or None."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from db.json_values import dumps, loads, number_fault, stored_bytes
from db.limits import (
    MAX_ATTEMPTS,
    MAX_INT64,
    MAX_JSON_DEPTH,
    MAX_NAME_LENGTH,
    MAX_TAGS,
    MIN_INT64,
)

_NUMBERS = (int, float, Decimal)
UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def text_fault(text: str) -> str | None:
    """Return why PostgreSQL cannot store the text."""
    if "\0" in text:
        return "Text must not contain the character U+0000."
    try:
        text.encode()
    except UnicodeEncodeError:
        return "Text must not contain a lone surrogate."
    return None


def name_fault(text: str | None) -> str | None:
    """Return why a name, such as a type or a queue, is invalid."""
    if text is None:
        return None
    return _length_fault(text, MAX_NAME_LENGTH) if text else "It must not be empty."


def tags_fault(tags: Sequence[str]) -> str | None:
    """Return why a job cannot have these tags."""
    if isinstance(tags, str):
        return "It must be a list of texts."
    if len(tags) > MAX_TAGS:
        return f"It may have at most {MAX_TAGS} items."
    if (fault := next(filter(None, map(name_fault, tags)), None)) is not None:
        return fault
    return None if len(set(tags)) == len(tags) else "It must not have an item twice."


def attempts_fault(count: int) -> str | None:
    """Return why the number of attempts is invalid."""
    fits = 1 <= count <= MAX_ATTEMPTS
    return None if fits else f"It must be between 1 and {MAX_ATTEMPTS}."


def fraction_fault(fraction: float) -> str | None:
    """Return why a share is invalid."""
    # NaN is not within any bounds.
    return None if 0 <= fraction <= 1 else "It must be between 0 and 1."


def json_fault(value: Any) -> str | None:
    """Return why a JSON value is invalid: its depth, numbers or text."""
    level = [value]
    for _ in range(MAX_JSON_DEPTH):
        for item in level:
            if (fault := _scalar_fault(item)) is not None:
                return fault
        level = [child for item in level for child in _children(item)]
        if not level:
            return None
    return f"JSON must not be nested deeper than {MAX_JSON_DEPTH} levels."


def document_fault(value: Any, max_bytes: int) -> str | None:
    """Return why a JSON column cannot store the value."""
    if value is None:
        return None
    if (fault := json_fault(value)) is not None:
        return fault
    try:
        text = dumps(value)
    except TypeError as error:
        return f"It is not JSON: {error}."
    if stored_bytes(text, max_bytes) > max_bytes:
        return f"It may have at most {max_bytes} bytes as JSON."
    # The texts inside Python objects such as dataclasses have not been checked yet.
    return json_fault(loads(text)) if b"\\u0000" in text else None


def _length_fault(text: str, length: int) -> str | None:
    if len(text) > length:
        return f"It may have at most {length} characters."
    return text_fault(text)


def _children(item: object) -> list[Any]:
    if isinstance(item, Mapping):
        return [*item.keys(), *item.values()]
    return list(item) if isinstance(item, list | tuple) else []


def _scalar_fault(item: object) -> str | None:
    if isinstance(item, str):
        return text_fault(item)
    if item is None or (type(item) is int and MIN_INT64 <= item <= MAX_INT64):  # the common case
        return None
    fault = number_fault(item) if isinstance(item, _NUMBERS) else None
    return f"JSON must not have a number {fault}." if fault else None

"""Why a value cannot be taken into the ledger, in words; None if it can. Whoever asks raises."""

import math
from collections.abc import Mapping
from typing import Any

import orjson

from db.limits import (
    MAX_ATTEMPTS,
    MAX_JSON_DEPTH,
    MAX_JSON_NUMBER,
    MAX_MESSAGE_LENGTH,
    MAX_NAME_LENGTH,
    MIN_JSON_NUMBER,
)


def text_fault(text: str) -> str | None:
    """Say why PostgreSQL cannot hold the text."""
    return "Text must not contain the character U+0000." if "\0" in text else None


def name_fault(text: str | None) -> str | None:
    """Say why a short column cannot take the text."""
    if text is None:
        return None
    return _length_fault(text, MAX_NAME_LENGTH) if text else "It must not be empty."


def message_fault(text: str | None) -> str | None:
    """Say why an error's message cannot be taken."""
    return None if text is None else _length_fault(text, MAX_MESSAGE_LENGTH)


def attempts_fault(count: int) -> str | None:
    """Say why a job cannot be allowed this many starts."""
    fits = 1 <= count <= MAX_ATTEMPTS
    return None if fits else f"It must be between 1 and {MAX_ATTEMPTS}."


def json_fault(value: Any) -> str | None:
    """Say why a JSON value cannot be taken: depth, numbers past 64 bits, text."""
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
    """Say why a JSON column cannot take the value."""
    if (fault := json_fault(value)) is not None:
        return fault
    try:
        size_bytes = len(orjson.dumps(value))
    except orjson.JSONEncodeError as error:
        return f"It is no JSON: {error}."
    if size_bytes > max_bytes:
        return f"It may have at most {max_bytes} bytes as JSON."
    return None


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
    if (isinstance(item, int) and not MIN_JSON_NUMBER <= item <= MAX_JSON_NUMBER) or (
        isinstance(item, float) and not math.isfinite(item)
    ):
        return "Numbers in JSON must fit 64 bits."
    return None

"""What may come in: text that PostgreSQL can hold, JSON within reason, sizes within limits."""

import math
from collections.abc import Mapping
from typing import Any

import orjson

from db.limits import MAX_JSON_NUMBER, MAX_MESSAGE_LENGTH, MAX_NAME_LENGTH, MIN_JSON_NUMBER
from resolvers.outcomes import InvalidInputError

JSON_DEPTH_MAX = 100
MAX_ATTEMPTS = 1_000


def text_fault(text: str) -> str | None:
    """Say why PostgreSQL cannot hold the text; None if it can."""
    return "Text must not contain the character U+0000." if "\0" in text else None


def json_fault(value: Any) -> str | None:
    """Say why a JSON value cannot be taken: depth, numbers past 64 bits, text; None if it can."""
    level = [value]
    for _ in range(JSON_DEPTH_MAX):
        for item in level:
            if (fault := _scalar_fault(item)) is not None:
                return fault
        level = [child for item in level for child in _children(item)]
        if not level:
            return None
    return f"JSON must not be nested deeper than {JSON_DEPTH_MAX} levels."


def check_name(field: str, text: str | None) -> str | None:
    """Check the text of a short column; raise InvalidInputError, naming the field."""
    if text is not None:
        if not text:
            raise InvalidInputError(field, "It must not be empty.")
        _check_length(field, text, MAX_NAME_LENGTH)
    return text


def check_message(field: str, text: str | None) -> str | None:
    """Check an error's message; raise InvalidInputError, naming the field."""
    if text is not None:
        _check_length(field, text, MAX_MESSAGE_LENGTH)
    return text


def check_json(field: str, value: Any, max_bytes: int) -> Any:
    """Check a JSON column's value; raise InvalidInputError, naming the field."""
    if (fault := json_fault(value)) is not None:
        raise InvalidInputError(field, fault)
    if len(orjson.dumps(value)) > max_bytes:
        raise InvalidInputError(field, f"It may have at most {max_bytes} bytes as JSON.")
    return value


def check_object(field: str, value: Any, max_bytes: int) -> Mapping[str, Any]:
    """Check an event's detail, which must be an object, for keys of our own go into it too."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInputError(field, "It must be a JSON object.")
    checked: Mapping[str, Any] = check_json(field, value, max_bytes)
    return checked


def check_attempts(field: str, count: int) -> int:
    """Check how many times a job may be started; raise InvalidInputError, naming the field."""
    if not 1 <= count <= MAX_ATTEMPTS:
        raise InvalidInputError(field, f"It must be between 1 and {MAX_ATTEMPTS}.")
    return count


def _check_length(field: str, text: str, length: int) -> None:
    if len(text) > length:
        raise InvalidInputError(field, f"It may have at most {length} characters.")
    if (fault := text_fault(text)) is not None:
        raise InvalidInputError(field, fault)


def _children(item: object) -> list[Any]:
    if isinstance(item, Mapping):
        return [*item.keys(), *item.values()]
    return item if isinstance(item, list) else []


def _scalar_fault(item: object) -> str | None:
    if isinstance(item, str):
        return text_fault(item)
    if (isinstance(item, int) and not MIN_JSON_NUMBER <= item <= MAX_JSON_NUMBER) or (
        isinstance(item, float) and not math.isfinite(item)
    ):
        return "Numbers in JSON must fit 64 bits."
    return None

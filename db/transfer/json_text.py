"""Parsing and writing of the JSON in a file without losing digits.

Rejects what jsonb or API clients cannot represent, with a message for the author of the file.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from db.error_texts import ERROR_KEYS, storable
from db.json_values import decode, dumps
from db.validation import UNSTORABLE

# An escaped NUL or surrogate; `_check_text` distinguishes lone surrogates from pairs.
_SUSPECT_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


class RecordError(Exception):
    """A record cannot be imported; the message has the field and the reason."""


def load(line: bytes) -> Any:
    """Parse one line of JSON; numbers that a float might round are Digits.

    Raises RecordError if it is malformed or has text that cannot be stored; in error texts such
    characters are replaced. Numbers are not checked here but by `dump`, which knows their field.
    """
    try:
        value = decode(line.decode())
        if _SUSPECT_ESCAPE.search(line):
            _clean_errors(value)
            _check_text(value, "")
    except UnicodeDecodeError:
        raise RecordError("the line is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise RecordError(f"not well-formed JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise RecordError("the JSON is nested too deeply") from None
    except ValueError as error:
        raise RecordError(f"not well-formed JSON: {error}") from None
    return value


def dump(value: object, field: str) -> str | None:
    """Serialize the value of a JSON field for jsonb; None (JSON null) stays None.

    Raises RecordError with the name `field` if it is nested too deeply or has an invalid number.
    """
    if value is None:
        return None
    try:
        return dumps(value).decode()
    except TypeError as error:
        fault = error.__cause__
        reason = f"has a number {fault}" if fault else "nested too deeply"
        raise RecordError(f"{field}: {reason}") from None


def _clean_errors(record: Any) -> None:
    """Replace characters that cannot be stored in error texts."""
    for error, prefix in _error_objects(record):
        for key in ERROR_KEYS:
            text = error.get(prefix + key)
            if isinstance(text, str):
                error[prefix + key] = storable(text)


def _error_objects(record: Any) -> Iterator[tuple[dict[str, Any], str]]:
    if isinstance(record, dict):
        yield record, "last_"
        events = record.get("events")
        for event in events if isinstance(events, list) else ():
            detail = event.get("detail") if isinstance(event, dict) else None
            if isinstance(detail, dict):
                yield detail, ""


def _check_text(value: object, path: str) -> None:
    if isinstance(value, str):
        if match := UNSTORABLE.search(value):
            what = "a NUL character" if match[0] == "\0" else "a lone surrogate"
            raise RecordError(f"{path or 'the JSON'}: has {what}, which cannot be stored")
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_text(key, path)
            _check_text(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _check_text(inner, f"{path}[{index}]")

"""JSON of a file: each line parsed and written again, no digit lost.

What jsonb or a reader of the API could not hold is refused here, in words for the file's author.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from db.error_texts import ERROR_KEYS, storable
from db.json_values import decode, dumps
from db.validation import UNSTORABLE

# A NUL or a surrogate as an escape; the halves of a pair look the same, hence `_check_text`.
_SUSPECT_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


class RecordError(Exception):
    """A record cannot be imported; the message says why, naming the field."""


def load(line: bytes) -> Any:
    """Parse one line of JSON; numbers that a float might round come as Digits.

    Raises RecordError unless it is well-formed and its texts can be stored. What cannot is replaced
    in the texts of errors. Numbers that cannot still pass here: `dump`, which knows their field,
    refuses them.
    """
    try:
        value = decode(line.decode())
        if _SUSPECT_ESCAPE.search(line):
            _mend_errors(value)
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
    """Write the value of a JSON field for jsonb; None (JSON's null) stays None.

    Raises RecordError, naming `field`, where it is nested too deeply or a number cannot be stored.
    """
    if value is None:
        return None
    try:
        return dumps(value).decode()
    except TypeError as error:
        fault = error.__cause__
        reason = f"has a number {fault}" if fault else "nested too deeply"
        raise RecordError(f"{field}: {reason}") from None


def _mend_errors(record: Any) -> None:
    """Replace what cannot be stored in the texts of errors: they are told all the same."""
    for holder, prefix in _error_holders(record):
        for key in ERROR_KEYS:
            text = holder.get(prefix + key)
            if isinstance(text, str):
                holder[prefix + key] = storable(text)


def _error_holders(record: Any) -> Iterator[tuple[dict[str, Any], str]]:
    if isinstance(record, dict):
        yield record, "last_"
        events = record.get("events")
        for event in events if isinstance(events, list) else ():
            detail = event.get("detail") if isinstance(event, dict) else None
            if isinstance(detail, dict):
                yield detail, ""


def _check_text(value: object, path: str) -> None:
    if isinstance(value, str):
        if found := UNSTORABLE.search(value):
            what = "a NUL character" if found[0] == "\0" else "half of a surrogate pair"
            raise RecordError(f"{path or 'the JSON'}: has {what}, which cannot be stored")
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_text(key, path)
            _check_text(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _check_text(inner, f"{path}[{index}]")

"""Error texts of jobs: shortened or cleaned so that recording a failure never fails itself."""

from collections.abc import Mapping
from typing import Any

from db.limits import MAX_MESSAGE_LENGTH, MAX_NAME_LENGTH
from db.validation import UNSTORABLE

SHORTENED = "… [shortened] …"
REPLACEMENT = "\ufffd"
# The keys of an event's detail that an attempt shows, with their longest lengths.
ERROR_KEYS = {"error_code": MAX_NAME_LENGTH, "error_message": MAX_MESSAGE_LENGTH}


def storable(text: str) -> str:
    """Replace each character that PostgreSQL cannot store: U+0000 and lone surrogates."""
    return UNSTORABLE.sub(REPLACEMENT, text)


def storable_message(text: str | None, max_length: int = MAX_MESSAGE_LENGTH) -> str | None:
    """Make an error's text storable; an empty one becomes None.

    A text that is too long keeps its beginning and its end, which say most about the error.
    """
    if not text:
        return None
    result = storable(str(text))
    if len(result) <= max_length:
        return result
    room = max_length - len(SHORTENED)
    tail = room // 4
    return result[: room - tail] + SHORTENED + result[len(result) - tail :]


def storable_code(text: str | None) -> str | None:
    """Make an error's code storable, as `storable_message` does."""
    return storable_message(text, MAX_NAME_LENGTH)


def with_storable_errors(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Copy an event's detail with its error made storable."""
    errors = {
        key: storable_message(detail[key], length)
        for key, length in ERROR_KEYS.items()
        if isinstance(detail.get(key), str)
    }
    return {**detail, **errors}

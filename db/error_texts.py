"""Texts of errors: a failure that is to be recorded is never refused for its words."""

from collections.abc import Mapping
from typing import Any

from db.limits import MAX_MESSAGE_LENGTH, MAX_NAME_LENGTH
from db.validation import UNSTORABLE

SHORTENED = "… [shortened] …"
REPLACEMENT = "\ufffd"
# The keys of an event's detail that become those of an attempt.
ERROR_KEYS = {"error_code": MAX_NAME_LENGTH, "error_message": MAX_MESSAGE_LENGTH}


def storable(text: str) -> str:
    """Replace each character that PostgreSQL cannot hold: U+0000, half of a surrogate pair."""
    return UNSTORABLE.sub(REPLACEMENT, text)


def diagnostic(text: str | None, max_length: int = MAX_MESSAGE_LENGTH) -> str | None:
    """Make of an error's text what can be kept of it; an empty one is none.

    Of one that is too long, the beginning and the end are kept, for there stands what it is about.
    """
    if not text:
        return None
    kept = storable(str(text))
    if len(kept) <= max_length:
        return kept
    room = max_length - len(SHORTENED)
    tail = room // 4
    return kept[: room - tail] + SHORTENED + kept[len(kept) - tail :]


def error_code(text: str | None) -> str | None:
    """Make of an error's code what can be kept of it."""
    return diagnostic(text, MAX_NAME_LENGTH)


def with_diagnostics(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Copy an event's detail, the error in it as it can be kept."""
    errors = {
        key: diagnostic(detail[key], length)
        for key, length in ERROR_KEYS.items()
        if isinstance(detail.get(key), str)
    }
    return {**detail, **errors}

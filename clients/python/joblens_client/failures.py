"""What an exception says: its class, its message and where it was raised."""

import traceback
from types import TracebackType
from typing import Any

from joblens_client.values import bounded

_MAX_TRACEBACK = 20_000
_MAX_FRAMES = 50


def code_of(error: BaseException) -> str:
    """Return the name of its class, with the module unless it is a built-in one."""
    kind = type(error)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def message_of(error: BaseException) -> str:
    """Return its message."""
    try:
        return bounded(str(error))
    except Exception:  # noqa: BLE001 - __str__ is the application's
        return ""


def traceback_of(error: BaseException) -> str | None:
    """Return its traceback: the last frames, which are nearest to the fault."""
    if error.__traceback__ is None:
        return None
    return last_part("".join(_lines(error, error.__traceback__)))


def last_part(text: str) -> str:
    """Cut the beginning of a traceback that is too long."""
    return text if len(text) <= _MAX_TRACEBACK else "…" + text[1 - _MAX_TRACEBACK :]


def _lines(error: BaseException, where: TracebackType) -> list[str]:
    try:
        return traceback.format_exception(type(error), error, where, limit=-_MAX_FRAMES)
    except Exception:  # noqa: BLE001 - __str__ is the application's
        return traceback.format_tb(where, limit=-_MAX_FRAMES)


def described(error: BaseException) -> dict[str, Any]:
    """Return the parts of a Fact that describe the error."""
    where = traceback_of(error)
    return {
        "error_code": code_of(error),
        "error_message": message_of(error),
        "detail": None if where is None else {"traceback": where},
    }

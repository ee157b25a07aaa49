"""Facts as clients of the API send them, at seconds of one minute."""

from typing import Any


def at(second: int) -> str:
    """Return the time of a second."""
    return f"2026-05-01T10:00:{second:02}Z"


def fact(id_: str, second: int, status: str, **values: Any) -> dict[str, Any]:
    """Make a fact: a job of the source had this status then."""
    return {"externalId": id_, "ts": at(second), "status": status, **values}

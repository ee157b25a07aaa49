"""Fact: that a job had a status at a time, and what else was seen of it; and its JSON."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from enum import Enum
from typing import Any

from joblens_client.values import MAX_TEXT, bounded, plain


class Status(str, Enum):
    """A job's status, as Joblens names it.

    A failed run is FAILED, then QUEUED if it will be retried, or DEAD_LETTER if it will not.
    """

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    DEAD_LETTER = "DEAD_LETTER"


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(timezone.utc)


@dataclass  # not frozen: that makes each of them take three times as long, while a job waits
class Fact:
    """A job had `status` at `ts`. What is None was not seen.

    `external_id`: what its library calls the job. `attempt`: how many times it had been started,
    this time included; None: Joblens counts the starts that it gets. `is_exact`: False if `ts`
    is only the nearest time that is known.
    """

    external_id: str
    status: Status
    ts: datetime = field(default_factory=now)
    attempt: int | None = None
    type: str | None = None
    queue: str | None = None
    priority: int | None = None
    max_attempts: int | None = None
    requested_by: str | None = None
    parent_external_id: str | None = None
    batch: str | None = None
    tags: Sequence[str] | None = None
    payload: Any = None
    result: Any = None
    scheduled_at: datetime | None = None
    worker: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    detail: Mapping[str, Any] | None = None
    progress: Mapping[str, Any] | None = None
    is_exact: bool | None = None

    def encoded(self) -> str:
        """Return its JSON, of bounded size: a GraphQL FactInput."""
        # A job waits for this: most facts have few of the fields.
        return _encode(
            {
                _INPUTS[name]: _AS_JSON[name](value)
                for name, value in self.__dict__.items()
                if value is not None
            }
        )


def _text(value: Any) -> Any:
    return bounded(value) if isinstance(value, str) and len(value) > MAX_TEXT else value


def _time(value: Any) -> Any:
    return _utc(value).isoformat() if isinstance(value, datetime) else value


def _status(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _utc(time: datetime) -> datetime:
    """Return the time with its zone; one without a zone is in UTC."""
    return time.replace(tzinfo=timezone.utc) if time.tzinfo is None else time


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.title() for other in others)


_INPUTS = {each.name: _camel(each.name) for each in fields(Fact)}
_WAYS = {"status": _status, "ts": _time, "scheduled_at": _time} | dict.fromkeys(
    ("payload", "result", "detail", "progress", "tags"), plain
)
_AS_JSON: Mapping[str, Callable[[Any], Any]] = {name: _WAYS.get(name, _text) for name in _INPUTS}
_encode = json.JSONEncoder(separators=(",", ":")).encode

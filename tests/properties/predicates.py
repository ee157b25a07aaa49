"""What the filters mean, in plain Python over rows as dicts: nothing here knows of SQL."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

Row = dict[str, Any]
Filter = dict[str, Any]

TEXTS = {
    "type": "type",
    "queue": "queue",
    "requestedBy": "requested_by",
    "idempotencyKey": "idempotency_key",
    "lastErrorCode": "last_error_code",
    "lastErrorMessage": "last_error_message",
    "worker": "worker",
    "batch": "batch",
    "externalId": "external_id",
}
NUMBERS = {"priority": "priority", "attempt": "attempt"}
TIMES = {
    "createdAt": "created_at",
    "updatedAt": "updated_at",
    "scheduledAt": "scheduled_at",
    "startedAt": "started_at",
    "finishedAt": "finished_at",
}

_TEXT: dict[str, Callable[[str, Any], bool]] = {
    "eq": lambda text, wanted: text == wanted,
    "in": lambda text, wanted: text in wanted,
    "startsWith": lambda text, wanted: text.startswith(wanted),
    "contains": lambda text, wanted: wanted in text,
    "containsIgnoreCase": lambda text, wanted: wanted.lower() in text.lower(),
}
SEARCHED = ("type", "requested_by", "last_error_code", "last_error_message")
_NUMBER: dict[str, Callable[[int, Any], bool]] = {
    "eq": lambda number, wanted: number == wanted,
    "in": lambda number, wanted: number in wanted,
    "gte": lambda number, wanted: number >= wanted,
    "lte": lambda number, wanted: number <= wanted,
}
_FLOAT: dict[str, Callable[[float, Any], bool]] = {
    "gte": lambda seconds, wanted: seconds >= wanted,
    "lt": lambda seconds, wanted: seconds < wanted,
}
_TIME: dict[str, Callable[[datetime, str], bool]] = {
    "gte": lambda time, wanted: time >= datetime.fromisoformat(wanted),
    "lt": lambda time, wanted: time < datetime.fromisoformat(wanted),
}


def meets(job: Row, filter_: Filter | None, now: datetime) -> bool:
    """Whether a job meets a JobFilter, given as GraphQL's input value."""
    return all(
        _job_condition(job, name, wanted, now)
        for name, wanted in (filter_ or {}).items()
        if wanted is not None
    )


def event_meets(event: Row, job: Row, filter_: Filter | None, now: datetime) -> bool:
    """Whether an event of this job meets a JobEventFilter."""
    return all(
        _event_condition(event, job, name, wanted, now)
        for name, wanted in (filter_ or {}).items()
        if wanted is not None
    )


def _job_condition(job: Row, name: str, wanted: Any, now: datetime) -> bool:
    if name in TEXTS:
        return _column(job.get(TEXTS[name]), wanted, _TEXT)
    if name in NUMBERS:
        return _column(job[NUMBERS[name]], wanted, _NUMBER)
    if name in TIMES:
        return _column(job.get(TIMES[name]), wanted, _TIME)
    conditions: dict[str, Callable[[], bool]] = {
        "ids": lambda: str(job["id"]) in [id_.lower() for id_ in wanted],
        "errorGroup": lambda: f"error-group:{job.get('error_group')}" == wanted,
        "status": lambda: job["status"].upper() in wanted,
        "waitingLongerThan": lambda: job["status"] == "queued" and _older(_due(job), wanted, now),
        "runningLongerThan": lambda: (
            job["status"] == "running" and _older(job.get("started_at"), wanted, now)
        ),
        "waitSeconds": lambda: _column(_waited(job), wanted, _FLOAT),
        "runSeconds": lambda: _column(_ran(job), wanted, _FLOAT),
        "search": lambda: _found(job, wanted),
        "payloadContains": lambda: contains(job.get("payload"), wanted),
        "source": lambda: f"source:{job.get('source_id')}" == wanted.lower(),
        "parentId": lambda: str(job.get("parent_id")) == wanted.lower(),
        "tags": lambda: set(wanted) <= set(job.get("tags") or ()),
        "and": lambda: all(meets(job, part, now) for part in wanted),
        "or": lambda: any(meets(job, part, now) for part in wanted),
        "not": lambda: not meets(job, wanted, now),
    }
    return conditions[name]()


def _event_condition(event: Row, job: Row, name: str, wanted: Any, now: datetime) -> bool:
    conditions: dict[str, Callable[[], bool]] = {
        "jobIds": lambda: str(event["job_id"]) in wanted,
        "nextStatus": lambda: event["next_status"].upper() in wanted,
        "prevStatus": lambda: (event["prev_status"] or "").upper() in wanted,
        "ts": lambda: _column(event["ts"], wanted, _TIME),
        "detailContains": lambda: contains(event.get("detail"), wanted),
        "job": lambda: meets(job, wanted, now),
    }
    return conditions[name]()


def _column(value: Any, filter_: Filter, conditions: dict[str, Callable[[Any, Any], bool]]) -> bool:
    for name, wanted in filter_.items():
        if wanted is None:
            continue
        if name == "isNull":
            holds = (value is None) == wanted
        elif name == "notIn":
            holds = value is None or value not in wanted
        else:
            holds = value is not None and conditions[name](value, wanted)
        if not holds:
            return False
    return True


def _due(job: Row) -> datetime:
    scheduled_at: datetime | None = job.get("scheduled_at")
    created_at: datetime = job["created_at"]
    return created_at if scheduled_at is None else max(created_at, scheduled_at)


def _waited(job: Row) -> float | None:
    if job["status"] == "queued" or job.get("started_at") is None:
        return None
    is_known = job.get("source_id") is None or _due(job) < job["started_at"] != job["finished_at"]
    return max(0.0, (job["started_at"] - _due(job)) / timedelta(seconds=1)) if is_known else None


def _ran(job: Row) -> float | None:
    start, end = job.get("started_at"), job.get("finished_at")
    if start is None or end is None or (job.get("source_id") is not None and start == end):
        return None
    return max(0.0, (end - start) / timedelta(seconds=1))


def _found(job: Row, wanted: str) -> bool:
    texts = [job[name] for name in SEARCHED if job.get(name) is not None]
    is_id = len(wanted) >= 8 and str(job["id"]).startswith(wanted.lower())
    is_key = (job.get("idempotency_key") or "").startswith(wanted)
    return is_id or is_key or any(wanted.lower() in text.lower() for text in texts)


def _older(since: datetime | None, seconds: float, now: datetime) -> bool:
    return since is not None and (now - since) / timedelta(seconds=1) > seconds


def contains(whole: Any, part: Any, *, within: bool = False) -> bool:
    """PostgreSQL's `whole @> part` for JSON; `whole` None stands for no JSON at all."""
    if isinstance(whole, dict) and isinstance(part, dict):
        return all(key in whole and contains(whole[key], part[key], within=True) for key in part)
    if isinstance(whole, list) and isinstance(part, list):
        return all(any(contains(item, wanted, within=True) for item in whole) for wanted in part)
    if isinstance(whole, list) and not within:
        # The one exception of PostgreSQL: a list may contain a bare value, but not deeper down.
        return not isinstance(part, dict) and any(_same(item, part) for item in whole)
    return _same(whole, part)


def _same(one: Any, other: Any) -> bool:
    """Equal, as JSON has it: true is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)

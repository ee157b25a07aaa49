"""What of a fact can be stored: what cannot is replaced by a note that says so."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from db.error_texts import storable_code, storable_message
from db.event_marks import MARK
from db.facts.descriptions import named
from db.facts.fact import Fact
from db.facts.history import WORKER
from db.facts.ids import job_id_of
from db.facts.steps import Step
from db.limits import MAX_INT32, MAX_JSON_BYTES, MAX_TAGS, MIN_INT32
from db.progress import PROGRESS
from db.validation import document_fault, name_fault

_NAMES = ("type", "queue", "requested_by", "batch")


def id_fault(external_id: str) -> str | None:
    """Return why a source cannot call a job this."""
    return name_fault(external_id)


def step_of_fact(fact: Fact) -> Step:
    """Return what a fact says of the job's history."""
    attempt = None if fact.attempt is None else max(0, min(fact.attempt, MAX_INT32))
    return Step(utc(fact.ts), fact.status, attempt, fact.is_exact, _detail(fact))


def values_of(source: str, fact: Fact) -> dict[str, Any]:
    """Return what a fact says of the job itself, by the names of columns; `error` is a pair."""
    values: dict[str, Any] = {
        name: text
        for name, value in named(_NAMES, fact).items()
        if (text := storable_code(value)) is not None
    }
    if fact.priority is not None:
        values["priority"] = max(MIN_INT32, min(fact.priority, MAX_INT32))
    if fact.max_attempts is not None:
        values["max_attempts"] = max(1, min(fact.max_attempts, MAX_INT32))
    values |= {name: _document(value) for name, value in named(("payload", "result"), fact).items()}
    if fact.scheduled_at is not None:
        values["scheduled_at"] = utc(fact.scheduled_at)
    if fact.tags is not None:
        values["tags"] = _tags(fact.tags)
    if fact.parent_external_id is not None:
        values |= _parent(source, fact)
    if fact.error_code is not None or fact.error_message is not None:
        values["error"] = [storable_code(fact.error_code), storable_message(fact.error_message)]
    return values


def _detail(fact: Fact) -> dict[str, Any]:
    found: dict[str, Any] = {
        "error_code": storable_code(fact.error_code),
        "error_message": storable_message(fact.error_message),
        WORKER: storable_code(fact.worker),
        "scheduled_at": None if fact.scheduled_at is None else utc(fact.scheduled_at).isoformat(),
        PROGRESS: None if fact.progress is None else fact.progress.detail,
    }
    made = {key: value for key, value in found.items() if value is not None}
    if not fact.detail:
        return made
    given = {key: value for key, value in fact.detail.items() if key != MARK}
    if document_fault({**made, **given}, MAX_JSON_BYTES) is None:
        return {**made, **given}
    return {**made, "detail": _document(given)}


def _document(value: Any) -> Any:
    fault = document_fault(value, MAX_JSON_BYTES)
    return value if fault is None else {MARK: f"left out: {fault}"}


def _tags(tags: Sequence[str]) -> list[str]:
    names = {name for tag in tags if (name := storable_code(tag)) is not None}
    return sorted(names)[:MAX_TAGS]


def _parent(source: str, fact: Fact) -> dict[str, UUID]:
    reported = fact.parent_external_id
    if not reported or id_fault(reported) is not None or reported == fact.external_id:
        return {}
    return {"parent_id": job_id_of(source, reported)}


def utc(time: datetime) -> datetime:
    """Return the time in UTC; one without a zone is in UTC."""
    if time.tzinfo is UTC:
        return time
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)

"""Converts a record to the rows of its job and events; missing values are filled in or derived.

If the events and other fields disagree, the events take precedence. A record that is inconsistent
is rejected with the name of the field.
"""

from collections import namedtuple
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from db.error_groups.fingerprints import fingerprint_of
from db.job_defaults import (
    DEFAULT_BACKOFF_POLICY,
    DEFAULT_MAX_ATTEMPTS,
    DEFAULT_PRIORITY,
    DEFAULT_QUEUE,
)
from db.progress import progress_of
from db.queries.attempts import WORKER
from db.statuses import JobStatus
from db.tables import job_table
from db.transfer import json_text
from db.transfer.json_text import RecordError
from db.transfer.records import EventRecord, JobRecord

# The events of a job may come from machines with different clocks, but must be in order.
MAX_CLOCK_SKEW = timedelta(minutes=5)

_RAN = frozenset({JobStatus.RUNNING, JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.DEAD_LETTER})


class EventValues(NamedTuple):
    ts: datetime
    prev_status: JobStatus | None
    next_status: JobStatus
    attempt: int
    detail: str | None


# The columns of `job` that a record does not have, and the ones that it has as they are stored.
_PROGRESS = ("progress_fraction", "progress_step", "progress_at")
_DERIVED = frozenset({"event_seq", "updated_at", "queued_at", "error_group", *_PROGRESS})
_COLUMNS = [
    name for name in job_table.c.keys()[2:] if name in _DERIVED or name in JobRecord.model_fields
]
# The columns of `job` after `id`, in the order of the table.
JobValues: Any = namedtuple("JobValues", _COLUMNS)  # type: ignore[misc]  # noqa: PYI024 - made of columns


@dataclass(frozen=True, slots=True)
class History:
    """The rows of a job to import; `id` is None if the record has none."""

    id: UUID | None
    job: Any
    events: Sequence[EventValues]


def complete(record: JobRecord) -> History:
    """Build the rows of a record.

    Without events, a legal sequence is derived from the record's times; a job that ran without a
    start time counts as started when it was created. Raises RecordError.
    """
    events = _given_events(record.events) if record.events else _derived_events(record)
    if events[-1].next_status is not record.status:
        last = f"the last event leads to '{events[-1].next_status}'"
        raise RecordError(f"status: is '{record.status}', but {last}")
    created_at = min(record.created_at, events[0].ts)
    started_at = _started_at(record, events)
    finished_at = _finished_at(record, events)
    _check_order(created_at, started_at, finished_at)
    attempt = max(record.attempt or 0, events[-1].attempt)
    times = (created_at, started_at, finished_at, *(event.ts for event in events))
    fingerprint = fingerprint_of(record.last_error_code, record.last_error_message)
    given = {name: getattr(record, name) for name in _COLUMNS if name not in _DERIVED}
    values = given | {
        "queue": record.queue or DEFAULT_QUEUE,
        "priority": record.priority or DEFAULT_PRIORITY,
        "attempt": attempt,
        "max_attempts": max(record.max_attempts or DEFAULT_MAX_ATTEMPTS, attempt),
        "backoff_policy": record.backoff_policy or DEFAULT_BACKOFF_POLICY,
        "payload": json_text.dump(record.payload, "payload"),
        "result": json_text.dump(record.result, "result"),
        "tags": json_text.dump(sorted(record.tags or ()) or None, "tags"),
        "event_seq": len(events),
        "created_at": created_at,
        "updated_at": max(time for time in times if time is not None),
        "started_at": started_at,
        "finished_at": finished_at,
        "queued_at": _last_queued(record, events),
        "error_group": fingerprint.id if fingerprint else None,
        **dict(zip(_PROGRESS, _last_progress(record.events or ()), strict=True)),
    }
    job = JobValues(**values)
    return History(record.id, job, events)


def _given_events(records: Sequence[EventRecord]) -> list[EventValues]:
    events: list[EventValues] = []
    for index, record in enumerate(records):
        before = events[-1] if events else None
        _check_link(index, record, before)
        detail = json_text.dump(record.detail, f"events[{index}].detail")
        prev_status = record.prev_status
        if before and _is_takeover(record, before):
            # Another worker has started the job, so the previous run was lost.
            prev_status = JobStatus.QUEUED
            events.append(
                EventValues(record.ts, JobStatus.RUNNING, prev_status, before.attempt, None)
            )
        event = EventValues(record.ts, prev_status, record.next_status, 0, detail)
        counted = (before.attempt if before else 0) + _is_start(event)
        attempt = counted if record.attempt is None else record.attempt
        events.append(event._replace(attempt=attempt))
    return events


def _is_takeover(record: EventRecord, before: EventValues) -> bool:
    """Return whether a run starts while another one is running."""
    stays_running = record.prev_status is record.next_status is JobStatus.RUNNING
    return stays_running and record.attempt is not None and record.attempt > before.attempt


def _check_link(index: int, record: EventRecord, before: EventValues | None) -> None:
    expected = before.next_status if before else None
    if record.prev_status is not expected:
        given = f"'{record.prev_status}'" if record.prev_status else "null"
        reason = (
            f"the previous event leads to '{expected}'" if expected else "the first event has none"
        )
        raise RecordError(f"events[{index}].prev_status: is {given}, but {reason}")
    if before and before.ts - record.ts > MAX_CLOCK_SKEW:
        raise RecordError(f"events[{index}].ts: is before the previous event; oldest come first")


def _derived_events(record: JobRecord) -> list[EventValues]:
    ran = record.started_at is not None or record.status in _RAN
    started_at = record.started_at or record.created_at
    attempt = max(record.attempt or 0, 1) if ran else record.attempt or 0
    events = [EventValues(record.created_at, None, JobStatus.QUEUED, 0 if ran else attempt, None)]

    def add(ts: datetime, status: JobStatus, detail: str | None = None) -> None:
        events.append(EventValues(ts, events[-1].next_status, status, attempt, detail))

    if ran:
        detail = None if record.worker is None else {WORKER: record.worker}
        add(started_at, JobStatus.RUNNING, json_text.dump(detail, WORKER))
    if ran and record.status is JobStatus.QUEUED:
        add(started_at, JobStatus.QUEUED)
    if record.status.is_terminal:
        finished_at = _required_finish(record)
        if record.status in {JobStatus.FAILED, JobStatus.DEAD_LETTER}:
            add(finished_at, JobStatus.FAILED, _error_detail(record))
        if record.status is not JobStatus.FAILED:
            add(finished_at, record.status)
    return events


def _required_finish(record: JobRecord) -> datetime:
    if record.finished_at is None:
        raise RecordError(f"finished_at: is required, the job is '{record.status}'")
    return record.finished_at


def _error_detail(record: JobRecord) -> str | None:
    error = {
        "error_code": record.last_error_code,
        "error_message": record.last_error_message,
    }
    detail: dict[str, Any] = {key: value for key, value in error.items() if value is not None}
    return json_text.dump(detail, "last_error_message") if detail else None


def _is_start(event: EventValues) -> bool:
    return event.next_status is JobStatus.RUNNING and event.prev_status is not JobStatus.RUNNING


def _started_at(record: JobRecord, events: Sequence[EventValues]) -> datetime | None:
    """Return the start of the last run; the record's time if its events begin later."""
    for event in reversed(events):
        if _is_start(event):
            return event.ts
        if event.next_status is JobStatus.QUEUED:
            return None
    return record.started_at


def _last_queued(record: JobRecord, events: Sequence[EventValues]) -> datetime:
    """Return when the job was last queued; its creation time if no event queues it."""
    return next(
        (
            event.ts
            for event in reversed(events)
            if event.next_status is JobStatus.QUEUED is not event.prev_status
        ),
        record.created_at,
    )


def _last_progress(
    events: Sequence[EventRecord],
) -> tuple[float | None, str | None, datetime | None]:
    """Return the progress of the last run: its share, its step and its time."""
    for event in reversed(events):
        if event.prev_status is not event.next_status:
            if event.next_status is JobStatus.RUNNING:
                break
            continue
        progress = progress_of(event.detail)
        if progress is not None:
            return progress.fraction, progress.step, event.ts
    return None, None, None


def _finished_at(record: JobRecord, events: Sequence[EventValues]) -> datetime | None:
    """Return the end of the last run; the record's time if its events begin later."""
    if not record.status.is_terminal:
        if record.finished_at is not None:
            raise RecordError(f"finished_at: is set, but the job is '{record.status}'")
        return None
    for event in reversed(events):
        if event.prev_status and not event.prev_status.is_terminal:
            return event.ts
    return record.finished_at or events[0].ts


def _check_order(
    created_at: datetime, started_at: datetime | None, finished_at: datetime | None
) -> None:
    if started_at and created_at - started_at > MAX_CLOCK_SKEW:
        raise RecordError("started_at: is before created_at")
    if finished_at and (started_at or created_at) - finished_at > MAX_CLOCK_SKEW:
        raise RecordError(f"finished_at: is before {'started_at' if started_at else 'created_at'}")

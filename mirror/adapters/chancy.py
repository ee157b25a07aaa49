"""Chancy: errors are numbered but not dated, and only the last start is kept."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from db.facts import Fact
from mirror.adapters import values as v
from mirror.adapters.adapter import Adapter, Row, Rows, Table
from mirror.adapters.error_texts import python_errors
from mirror.adapters.history import (
    CANCELED,
    DEAD_LETTER,
    QUEUED,
    RUNNING,
    SUCCEEDED,
    History,
    later,
)

_JOBS = "chancy_jobs"


def facts(rows: Rows, now: datetime) -> list[Fact]:
    """Map a job. `attempts` counts runs that have ended; a retry by hand sets it to 0."""
    job = rows[_JOBS][0]
    history = History(str(job["id"]), job["created_at"])
    errors = [error for error in job["errors"] or () if isinstance(error, dict)]
    due = later(job["scheduled_at"], job["created_at"])
    ended = max(job["attempts"], len(errors))
    is_last_failed = _is_last_failed(job, errors)
    before = errors[:-1] if is_last_failed else errors
    history.add(
        QUEUED,
        job["created_at"],
        0,
        scheduled_at=None if errors else due,
        detail={"unique_key": job["unique_key"]},
    )
    for number, error in enumerate(before, start=1):
        is_due = due if number == len(errors) else None
        history.begin(None, number)
        history.fail(None, number, then=QUEUED, scheduled_at=is_due, **_error(error))
    _add_last_run(history, job, due, errors[-1] if is_last_failed else None, ended)
    return history.described(
        now,
        type=job["func"],
        queue=job["queue"],
        priority=job["priority"] or 0,
        max_attempts=job["max_attempts"],
        payload=job["kwargs"],
    )


def _is_last_failed(job: Row, errors: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the last run that is known of ended with the last error."""
    if not errors or job["state"] in {"succeeded", "running", "pending"}:
        return False
    return job["started_at"] is not None and not (_is_canceled(job) and _was_running(job))


def _is_canceled(job: Row) -> bool:
    """Whether the job was cancelled: that is a failure without the attempts being used up."""
    return bool(job["state"] == "failed" and job["attempts"] < job["max_attempts"])


def _was_running(job: Row) -> bool:
    started_at, scheduled_at = job["started_at"], job["scheduled_at"]
    return started_at is not None and bool(scheduled_at is None or started_at >= scheduled_at)


def _add_last_run(
    history: History,
    job: Row,
    due: datetime | None,
    error: Mapping[str, Any] | None,
    ended: int,
) -> None:
    state, started_at, ended_at = job["state"], job["started_at"], job["completed_at"]
    if error is not None:
        history.begin(started_at, max(ended, 1), worker=job["taken_by"])
        if state == "failed" and not _is_canceled(job):
            history.fail(ended_at, ended, then=DEAD_LETTER, **_error(error))
            return
        history.fail(
            started_at, ended, then=QUEUED, ts_of="started_at", scheduled_at=due, **_error(error)
        )
    elif state in {"running", "succeeded", "failed", "expired"} and started_at is not None:
        is_counted = state in {"succeeded", "expired"}
        attempt = max(ended, 1) if is_counted else ended + 1
        history.begin(started_at, attempt, worker=job["taken_by"])
    if state == "succeeded":
        history.add(SUCCEEDED, ended_at, max(history.attempt, 1))
    elif state in {"failed", "expired"}:
        if _is_canceled(job):
            history.add(CANCELED, ended_at, history.attempt)
        elif history.status is RUNNING:
            history.fail(ended_at, history.attempt, then=DEAD_LETTER)
        else:
            history.add(DEAD_LETTER, ended_at, history.attempt)


def _error(error: Mapping[str, Any]) -> dict[str, Any]:
    text = str(error.get("traceback") or "")
    chain = python_errors(text)
    code, message = chain[-1] if chain else (None, text or None)
    return {
        "error_code": code,
        "error_message": message,
        "detail": {"traceback": text or None},
    }


ADAPTER = Adapter(
    kind="chancy",
    title="Chancy",
    landmark=(_JOBS, "func"),
    version="""(
        SELECT max(version)::text FROM {schema}.chancy_schema_version WHERE version_of = 'chancy'
    )""",
    versions=("3", "4", "5", "6", "7", "8"),
    tables=(
        Table(
            _JOBS,
            {
                "id": v.text,
                "queue": v.text,
                "func": v.text,
                "kwargs": v.json,
                "state": v.text,
                "priority": int,
                "attempts": int,
                "max_attempts": int,
                "taken_by": v.text,
                "created_at": v.time,
                "started_at": v.time,
                "completed_at": v.time,
                "scheduled_at": v.time,
                "unique_key": v.text,
                "errors": v.json,
            },
            key_type="uuid",
        ),
    ),
    facts=facts,
    page="""
        SELECT job.id::text FROM {schema}.chancy_jobs AS job
        WHERE ($1::text IS NULL OR job.id > $1::text::uuid)
            AND ($3::timestamptz IS NULL OR completed_at IS NULL OR completed_at >= $3)
        ORDER BY job.id LIMIT $2
    """,
    live="""
        SELECT id::text, concat_ws(' ', state, attempts, started_at, scheduled_at, priority)
        FROM {schema}.chancy_jobs WHERE completed_at IS NULL
    """,
    recent="""
        SELECT id::text, concat_ws(' ', state, attempts, completed_at)
        FROM {schema}.chancy_jobs WHERE completed_at >= $1::text::timestamptz
    """,
    keeps="24 hours after it was added (the pruner's default)",
    missed="when an attempt failed, if that was between two polls",
    unknown="times of errors, starts of attempts that are not the last, results",
)

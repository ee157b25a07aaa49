"""River: `errors` has each failure with its time; of starts only the last has one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from db.facts import Fact
from mirror.adapters import values as v
from mirror.adapters.adapter import Adapter, Row, Rows, Table
from mirror.adapters.history import CANCELED, DEAD_LETTER, QUEUED, SUCCEEDED, History, later

_JOBS = "river_job"
_ENDS = {"completed": SUCCEEDED, "cancelled": CANCELED, "discarded": DEAD_LETTER}


def facts(rows: Rows, now: datetime) -> list[Fact]:
    """Map a job. A snooze takes `attempt` back by one: that start is not known any more."""
    job = rows[_JOBS][0]
    history = History(str(job["id"]), job["created_at"])
    errors = [error for error in job["errors"] or () if isinstance(error, dict)]
    due = later(job["scheduled_at"], job["created_at"])
    history.add(QUEUED, job["created_at"], 0, detail=_notes(job))
    for error in errors:
        _add_error(history, job, error)
    _add_last_run(history, job, due)
    history.schedule(due)
    metadata = job["metadata"] if isinstance(job["metadata"], dict) else {}
    return history.described(
        now,
        type=job["kind"],
        queue=job["queue"],
        priority=-job["priority"],
        max_attempts=job["max_attempts"],
        payload=job["args"],
        tags=job["tags"] or None,
        result=metadata.get("output") if history.status is SUCCEEDED else None,
    )


def _add_error(history: History, job: Row, error: Mapping[str, Any]) -> None:
    attempt, at = int(error.get("attempt") or history.attempt + 1), v.time(str(error.get("at")))
    is_last = attempt == job["attempt"]
    message, notes = error.get("error"), {"trace": error.get("trace") or None}
    if attempt > history.attempt:
        _begin(history, job, attempt, at)
    if is_last and job["state"] == "cancelled" and _is_cancel(message, at, job["finalized_at"]):
        history.add(CANCELED, job["finalized_at"], attempt, error_message=message, detail=notes)
        return
    then = DEAD_LETTER if is_last and job["state"] == "discarded" else QUEUED
    ends_at = job["finalized_at"] if then is DEAD_LETTER else None
    history.fail(
        at,
        attempt,
        then=then,
        then_at=ends_at,
        error_message=message,
        detail=notes,
    )


def _add_last_run(history: History, job: Row, due: datetime | None) -> None:
    state, attempt = job["state"], job["attempt"]
    end = _ENDS.get(state)
    if attempt > history.attempt:
        _begin(history, job, attempt, None)
        if end is DEAD_LETTER:
            history.fail(job["finalized_at"], attempt, then=DEAD_LETTER)
        elif end is None and state != "running":
            # Retried by hand after its success.
            history.add(QUEUED, due, attempt, ts_of="scheduled_at")
    if end is not None and history.status is not end:
        history.add(end, job["finalized_at"], attempt)


def _begin(history: History, job: Row, attempt: int, at: datetime | None) -> None:
    """Add a start: the time of the last one is kept, the others began before they failed."""
    workers = job["attempted_by"] or []
    if attempt == job["attempt"] and job["attempted_at"] is not None:
        worker = workers[-1] if workers else None
        history.begin(job["attempted_at"], attempt, worker=worker)
    else:
        history.begin(at, attempt, ts_of="errors.at")


def _is_cancel(message: object, at: datetime | None, finalized_at: datetime | None) -> bool:
    return at == finalized_at or str(message).startswith("JobCancelError")


def _notes(job: Row) -> dict[str, Any]:
    return {"unique_key": job["unique_key"]}


ADAPTER = Adapter(
    kind="river",
    title="River",
    landmark=(_JOBS, "attempted_by"),
    version="""(
        SELECT max(version)::text FROM {schema}.river_migration AS migration
        WHERE coalesce(to_jsonb(migration) ->> 'line', 'main') = 'main'
    )""",
    versions=("4", "5", "6", "7"),
    tables=(
        Table(
            _JOBS,
            {
                "id": int,
                "state": v.text,
                "attempt": int,
                "max_attempts": int,
                "attempted_at": v.time,
                "created_at": v.time,
                "finalized_at": v.time,
                "scheduled_at": v.time,
                "priority": int,
                "args": v.json,
                "attempted_by": v.texts,
                "errors": v.jsons,
                "kind": v.text,
                "metadata": v.json,
                "queue": v.text,
                "tags": v.texts,
                "unique_key": v.text,
            },
        ),
    ),
    facts=facts,
    page="""
        SELECT job.id::text FROM {schema}.river_job AS job
        WHERE ($1::text IS NULL OR job.id > $1::text::bigint)
            AND ($3::timestamptz IS NULL OR finalized_at IS NULL OR finalized_at >= $3)
        ORDER BY job.id LIMIT $2
    """,
    live="""
        SELECT id::text, concat_ws(' ', state, attempt, attempted_at, scheduled_at, priority, queue)
        FROM {schema}.river_job WHERE state NOT IN ('completed', 'cancelled', 'discarded')
    """,
    recent="""
        SELECT id::text, concat_ws(' ', state, attempt, finalized_at) FROM {schema}.river_job
        WHERE state IN ('completed', 'cancelled', 'discarded')
            AND finalized_at >= $1::text::timestamptz
    """,
    keeps="completed and cancelled jobs for 24 hours, discarded ones for 7 days",
    missed="the start of an attempt that failed between two polls, but for the last one",
    unknown="starts of attempts that are not the last; classes of errors",
)

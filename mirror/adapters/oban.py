"""Oban: as River, but times have no zone, and the class of an error is in its text."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from db.facts import Fact
from mirror.adapters import values as v
from mirror.adapters.adapter import Adapter, Row, Rows, Table
from mirror.adapters.error_texts import elixir_error
from mirror.adapters.history import CANCELED, DEAD_LETTER, FAILED, QUEUED, SUCCEEDED, History, later

_JOBS = "oban_jobs"
_ENDS = {"completed": SUCCEEDED, "cancelled": CANCELED, "discarded": DEAD_LETTER}
_ENDED_AT = {
    "completed": "completed_at",
    "cancelled": "cancelled_at",
    "discarded": "discarded_at",
}


def facts(rows: Rows, now: datetime) -> list[Fact]:
    """Map a job. A snooze takes `attempt` back by one: that start is not known any more."""
    job = rows[_JOBS][0]
    history = History(str(job["id"]), job["inserted_at"])
    errors = [error for error in job["errors"] or () if isinstance(error, dict)]
    due = later(job["scheduled_at"], job["inserted_at"])
    history.add(QUEUED, job["inserted_at"], 0)
    for error in errors:
        _add_error(history, job, error)
    _add_last_run(history, job, due)
    history.schedule(due)
    meta = job["meta"] if isinstance(job["meta"], dict) else {}
    return history.described(
        now,
        type=job["worker"],
        queue=job["queue"],
        priority=-job["priority"],
        max_attempts=job["max_attempts"],
        payload=job["args"],
        tags=job["tags"] or None,
        requested_by=f"cron:{meta['cron_name']}" if meta.get("cron_name") else None,
        # What Oban Pro records of a job's result.
        result=meta.get("return") if history.status is SUCCEEDED else None,
    )


def _add_error(history: History, job: Row, error: Mapping[str, Any]) -> None:
    attempt, at = int(error.get("attempt") or history.attempt + 1), v.time(str(error.get("at")))
    text = str(error.get("error") or "")
    found = elixir_error(text)
    reported: dict[str, Any] = {"error_code": found.code, "error_message": found.message}
    if attempt > history.attempt:
        _begin(history, job, attempt, at)
    is_last = attempt == job["attempt"]
    if is_last and job["state"] == "cancelled" and _is_cancel(at, job):
        history.add(CANCELED, job["cancelled_at"], attempt, **reported)
        return
    # The attempt shows the text as it is, with its stack; the job, what it says.
    history.add(FAILED, at, attempt, detail={"error_message": text or None})
    if is_last and job["state"] == "discarded":
        history.add(DEAD_LETTER, job["discarded_at"], attempt, **reported)
    else:
        history.add(QUEUED, at, attempt, **reported)


def _add_last_run(history: History, job: Row, due: datetime | None) -> None:
    state, attempt = job["state"], job["attempt"]
    end = _ENDS.get(state)
    ended_at = job[_ENDED_AT[state]] if end is not None else None
    if attempt > history.attempt:
        _begin(history, job, attempt, None)
        if end is DEAD_LETTER:
            history.fail(ended_at, attempt, then=DEAD_LETTER)
        elif end is None and state != "executing":
            # Retried by hand after its success.
            history.add(QUEUED, due, attempt, ts_of="scheduled_at")
    if end is not None and history.status is not end:
        history.add(end, ended_at, attempt)


def _begin(history: History, job: Row, attempt: int, at: datetime | None) -> None:
    """Add a start: the time of the last one is kept, the others began before they failed."""
    if attempt == job["attempt"] and job["attempted_at"] is not None:
        by = [name for name in job["attempted_by"] or () if name]
        history.begin(job["attempted_at"], attempt, worker=by[0] if by else None)
    else:
        history.begin(at, attempt, ts_of="errors.at")


def _is_cancel(at: datetime | None, job: Row) -> bool:
    """Whether the last error is that of the cancel, and not of a failure before it."""
    cancelled_at = job["cancelled_at"]
    return at is None or cancelled_at is None or abs((cancelled_at - at).total_seconds()) < 1


ADAPTER = Adapter(
    kind="oban",
    title="Oban",
    landmark=(_JOBS, "attempted_by"),
    # Each migration writes its number as the comment of the table.
    version="""(
        SELECT coalesce(
            obj_description('{schema}.oban_jobs'::regclass, 'pg_class'),
            max('14 (by its states)') FILTER (WHERE enumlabel = 'suspended')
        )
        FROM pg_enum JOIN pg_attribute ON atttypid = enumtypid
        WHERE attrelid = '{schema}.oban_jobs'::regclass AND attname = 'state'
    )""",
    versions=("11", "12", "13", "14", "14 (by its states)"),
    tables=(
        Table(
            _JOBS,
            {
                "id": int,
                "state": v.text,
                "queue": v.text,
                "worker": v.text,
                "args": v.json,
                "errors": v.jsons,
                "attempt": int,
                "max_attempts": int,
                "inserted_at": v.time,
                "scheduled_at": v.time,
                "attempted_at": v.time,
                "completed_at": v.time,
                "attempted_by": v.texts,
                "discarded_at": v.time,
                "priority": int,
                "tags": v.texts,
                "meta": v.json,
                "cancelled_at": v.time,
            },
        ),
    ),
    facts=facts,
    page="""
        SELECT job.id::text FROM {schema}.oban_jobs AS job
        WHERE ($1::text IS NULL OR job.id > $1::text::bigint) AND ($3::timestamptz IS NULL
            OR coalesce(completed_at, cancelled_at, discarded_at) IS NULL
            OR coalesce(completed_at, cancelled_at, discarded_at) >= $3 AT TIME ZONE 'UTC')
        ORDER BY job.id LIMIT $2
    """,
    live="""
        SELECT id::text, concat_ws(' ', state, attempt, attempted_at, scheduled_at, priority, queue)
        FROM {schema}.oban_jobs WHERE state NOT IN ('completed', 'cancelled', 'discarded')
    """,
    watermark="now() AT TIME ZONE 'UTC'",
    recent="""
        SELECT id::text, concat_ws(' ', state, attempt, completed_at, cancelled_at, discarded_at)
        FROM {schema}.oban_jobs WHERE state = 'completed' AND completed_at >= $1::text::timestamp
            OR state = 'cancelled' AND cancelled_at >= $1::text::timestamp
            OR state = 'discarded' AND discarded_at >= $1::text::timestamp
    """,
    keeps="60 seconds, unless the pruner's max_age is set; it is on by default since 2.23",
    missed="jobs that ended while the mirror was away for longer than the pruner's max_age",
    unknown="starts of attempts that are not the last",
)

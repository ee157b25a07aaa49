"""GoodJob: each attempt is a row of `good_job_executions`, with its start, end and error."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from db.facts import Fact
from mirror.adapters import values as v
from mirror.adapters.adapter import Adapter, Row, Rows, Table
from mirror.adapters.error_texts import ruby_error
from mirror.adapters.history import CANCELED, DEAD_LETTER, QUEUED, SUCCEEDED, History, later

_JOBS, _EXECUTIONS = "good_jobs", "good_job_executions"
# Values of error_event: 0 interrupted, 1 unhandled, 2 handled, 3 retried, 4 retry stopped.
_DISCARDED = 5


def facts(rows: Rows, now: datetime) -> list[Fact]:
    """Map a job and its executions."""
    job = rows[_JOBS][0]
    executions = sorted(rows[_EXECUTIONS], key=lambda row: (row["created_at"], str(row["id"])))
    history = History(str(job["id"]), job["created_at"])
    due = later(job["scheduled_at"], job["created_at"])
    starts = max(job["executions_count"] or 0, len(executions))
    is_waiting = job["finished_at"] is None and job["performed_at"] is None
    first_due = due if not executions else None
    history.add(QUEUED, job["created_at"], 0, scheduled_at=first_due, detail=_notes(job))
    for index, execution in enumerate(executions):
        is_last = index == len(executions) - 1
        attempt = starts - len(executions) + index + 1
        _add_execution(history, job, execution, attempt, due if is_last else None, is_last=is_last)
    if not executions:
        _add_run(history, job)
    if is_waiting and history.status is not QUEUED:
        history.add(QUEUED, due, history.attempt, ts_of="scheduled_at", scheduled_at=due)
    params = job["serialized_params"] if isinstance(job["serialized_params"], dict) else {}
    # The row of a job forgets its error at a success.
    error = {} if job["error"] else {"error_message": ""}
    return history.described(
        now,
        type=job["job_class"] or params.get("job_class") or "unknown",
        queue=job["queue_name"] or "default",
        priority=-(job["priority"] or 0),
        max_attempts=max(starts, 1),
        payload=params.get("arguments", job["serialized_params"]),
        tags=[label for label in job["labels"] or () if label] or None,
        batch=job["batch_id"],
        requested_by=f"cron:{job['cron_key']}" if job["cron_key"] else None,
        **error,
    )


def _add_execution(
    history: History,
    job: Row,
    execution: Row,
    attempt: int,
    due: datetime | None,
    *,
    is_last: bool,
) -> None:
    history.begin(execution["created_at"], attempt, worker=execution["process_id"])
    ended_at = execution["finished_at"]
    if ended_at is None:
        return
    if not execution["error"]:
        history.add(SUCCEEDED, ended_at, attempt, detail={"duration": execution["duration"]})
        return
    reported = _error(execution)
    if execution["error_event"] == _DISCARDED:
        history.add(CANCELED, ended_at, attempt, **reported)
    else:
        has_ended = is_last and job["finished_at"] is not None
        then = DEAD_LETTER if has_ended else QUEUED
        history.fail(ended_at, attempt, then=then, scheduled_at=due, **reported)


def _add_run(history: History, job: Row) -> None:
    """Add the only run that the job's own row has."""
    attempt = max(job["executions_count"] or 0, 1)
    if job["performed_at"] is not None:
        history.begin(job["performed_at"], attempt)
    ended_at = job["finished_at"]
    if ended_at is None:
        return
    error = ruby_error(job["error"] or "")
    reported: dict[str, Any] = {"error_code": error.code, "error_message": error.message}
    if not job["error"]:
        history.add(SUCCEEDED, ended_at, attempt)
    elif job["error_event"] == _DISCARDED:
        history.add(CANCELED, ended_at, history.attempt, **reported)
    else:
        history.fail(ended_at, attempt, then=DEAD_LETTER, **reported)


def _error(execution: Row) -> dict[str, Any]:
    error = ruby_error(execution["error"])
    stack: Sequence[str] = [line for line in execution["error_backtrace"] or () if line]
    detail = {"backtrace": stack[:50] or None}
    return {"error_code": error.code, "error_message": error.message, "detail": detail}


def _notes(job: Row) -> dict[str, Any]:
    return {"concurrency_key": job["concurrency_key"]}


ADAPTER = Adapter(
    kind="good_job",
    title="GoodJob",
    landmark=(_JOBS, "serialized_params"),
    # Rails keeps no number of its own for GoodJob's tables: what each version has added shows it.
    version="""(
        SELECT CASE
            WHEN names @> '{lock_type}' THEN '4.19'
            WHEN names @> '{labels,locked_by_id,error_event,job_class}' THEN '4.0'
            ELSE 'before 4.0' END
        FROM (
            SELECT array_agg(attname::text) AS names FROM pg_attribute
            WHERE attrelid = '{schema}.good_jobs'::regclass
        ) AS col
    )""",
    versions=("4.0", "4.19"),
    tables=(
        Table(
            _JOBS,
            {
                "id": v.text,
                "queue_name": v.text,
                "priority": int,
                "serialized_params": v.json,
                "scheduled_at": v.time,
                "performed_at": v.time,
                "finished_at": v.time,
                "error": v.text,
                "created_at": v.time,
                "active_job_id": v.text,
                "concurrency_key": v.text,
                "cron_key": v.text,
                "batch_id": v.text,
                "executions_count": int,
                "job_class": v.text,
                "error_event": int,
                "labels": v.texts,
            },
            key_type="uuid",
        ),
        Table(
            _EXECUTIONS,
            {
                "id": v.text,
                "active_job_id": v.text,
                "created_at": v.time,
                "finished_at": v.time,
                "error": v.text,
                "error_event": int,
                "error_backtrace": v.texts,
                "process_id": v.text,
                "duration": v.text,
            },
            key="job.id",
            key_type="uuid",
            source="{schema}.good_jobs AS job JOIN {schema}.good_job_executions AS t "
            "ON t.active_job_id = job.active_job_id",
            joined=("active_job_id", "active_job_id"),
        ),
    ),
    facts=facts,
    page="""
        SELECT job.id::text FROM {schema}.good_jobs AS job
        WHERE ($1::text IS NULL OR job.id > $1::text::uuid) AND ($3::timestamptz IS NULL
            OR finished_at IS NULL OR finished_at >= $3 AT TIME ZONE 'UTC')
        ORDER BY job.id LIMIT $2
    """,
    live="""
        SELECT id::text, concat_ws(' ', updated_at, performed_at, executions_count, scheduled_at,
            priority, queue_name) FROM {schema}.good_jobs WHERE finished_at IS NULL
    """,
    watermark="now() AT TIME ZONE 'UTC'",
    recent="""
        SELECT id::text, concat_ws(' ', updated_at, finished_at, executions_count)
        FROM {schema}.good_jobs WHERE finished_at >= $1::text::timestamp
    """,
    keeps="14 days, unless preserve_job_records is off",
    missed="nothing, while job records are preserved",
    unknown="results, and the most attempts",
)

"""Solid Queue: a job is the rows with one `active_job_id`; where it is executed is its status."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from db.facts import Fact
from mirror.adapters import values as v
from mirror.adapters.adapter import Adapter, Row, Rows, Table
from mirror.adapters.history import DEAD_LETTER, FAILED, QUEUED, SUCCEEDED, History, later

_JOBS = "solid_queue_jobs"
_CLAIMED, _FAILED, _BLOCKED = (
    f"solid_queue_{name}_executions" for name in ("claimed", "failed", "blocked")
)
RETRIED = "retried by Active Job: the queue keeps no error"


def facts(rows: Rows, now: datetime) -> list[Fact]:
    """Map the rows of a job. Each retry is a row; the row before it looks finished."""
    jobs = sorted(rows[_JOBS], key=lambda row: int(row["id"]))
    last, arguments = jobs[-1], _arguments(jobs[-1])
    history = History(str(last["active_job_id"]), jobs[0]["created_at"])
    before: int | None = None
    for job in jobs:
        starts = _starts(job, before)
        if before is not None:
            _add_retried(history, job["created_at"], starts)
        due = later(job["scheduled_at"], job["created_at"])
        history.add(QUEUED, job["created_at"], starts, scheduled_at=due, detail=_notes(job))
        if job is last:
            _add_last(history, last, rows, starts + 1)
        else:
            _add_claim(history, job, rows, starts + 1)
        before = starts
    error = {} if history.status is DEAD_LETTER else {"error_message": ""}
    return history.described(
        now,
        type=last["class_name"],
        queue=last["queue_name"],
        priority=-last["priority"],
        max_attempts=max(history.attempt, 1),
        payload=arguments.get("arguments", last["arguments"]),
        **error,
    )


def _starts(job: Row, before: int | None) -> int:
    """Return how often the job was started before this row; `before`: before the previous one."""
    reported = _arguments(job).get("executions")
    return max(reported if isinstance(reported, int) else 0, 0 if before is None else before + 1)


def _add_retried(history: History, retried_at: datetime, attempt: int) -> None:
    """Add the failure that led to a retry, which the run itself has added right after it."""
    ts_of = "created_at of the retry"
    if history.status is QUEUED:
        history.begin(retried_at, attempt, ts_of=ts_of)
    history.add(FAILED, retried_at, attempt, ts_of=ts_of, error_message=RETRIED)


def _add_last(history: History, job: Row, rows: Rows, attempt: int) -> None:
    failed, blocked = _execution(rows[_FAILED], job), _execution(rows[_BLOCKED], job)
    if job["finished_at"] is not None:
        history.begin(job["finished_at"], attempt, ts_of="finished_at")
        history.add(SUCCEEDED, job["finished_at"], attempt)
    elif failed is not None:
        history.begin(failed["created_at"], attempt, ts_of="created_at of the failure")
        history.fail(failed["created_at"], attempt, then=DEAD_LETTER, **_error(failed))
    elif blocked is not None:
        notes = {
            "blocked_by": blocked["concurrency_key"],
            "expires_at": _iso(blocked["expires_at"]),
        }
        history.add(QUEUED, blocked["created_at"], None, detail=notes)
    else:
        _add_claim(history, job, rows, attempt)


def _add_claim(history: History, job: Row, rows: Rows, attempt: int) -> None:
    claimed = _execution(rows[_CLAIMED], job)
    if claimed is not None:
        worker = claimed["process_id"]
        history.begin(
            claimed["created_at"], attempt, worker=None if worker is None else str(worker)
        )


def _execution(executions: Sequence[Row], job: Row) -> Row | None:
    return next((row for row in executions if row["job_id"] == job["id"]), None)


def _arguments(job: Row) -> Mapping[str, Any]:
    return job["arguments"] if isinstance(job["arguments"], dict) else {}


def _error(failed: Row) -> dict[str, Any]:
    error = failed["error"]
    if not isinstance(error, dict):
        return {"error_message": None if error is None else str(error)}
    return {
        "error_code": error.get("exception_class"),
        "error_message": error.get("message"),
        "detail": {"backtrace": (error.get("backtrace") or [])[:50] or None},
    }


def _notes(job: Row) -> dict[str, Any]:
    return {"concurrency_key": job["concurrency_key"]}


def _iso(ts: datetime | None) -> str | None:
    return None if ts is None else ts.isoformat()


def _executions(name: str, **columns: v.Column) -> Table:
    return Table(
        f"solid_queue_{name}_executions",
        {"id": int, "job_id": int, "created_at": v.time, **columns},
        key="job.active_job_id",
        key_type="text",
        source="{schema}.solid_queue_jobs AS job "
        f"JOIN {{schema}}.solid_queue_{name}_executions AS t ON t.job_id = job.id",
        joined=("job_id", "id"),
    )


ADAPTER = Adapter(
    kind="solid_queue",
    title="Solid Queue",
    landmark=(_JOBS, "active_job_id"),
    # Rails keeps the number of the schema elsewhere: what versions have added shows it.
    version="""(
        SELECT CASE WHEN bool_or(attname = 'batch_id') THEN '1 with batches' ELSE '1' END
        FROM pg_attribute WHERE attrelid = '{schema}.solid_queue_jobs'::regclass
    )""",
    versions=("1",),
    tables=(
        Table(
            _JOBS,
            {
                "id": int,
                "queue_name": v.text,
                "class_name": v.text,
                "arguments": v.json,
                "priority": int,
                "active_job_id": v.text,
                "scheduled_at": v.time,
                "finished_at": v.time,
                "concurrency_key": v.text,
                "created_at": v.time,
            },
            key="t.active_job_id",
            key_type="text",
        ),
        _executions("claimed", process_id=int),
        _executions("failed", error=v.json),
        _executions("blocked", concurrency_key=v.text, expires_at=v.time),
    ),
    facts=facts,
    page="""
        SELECT DISTINCT active_job_id FROM {schema}.solid_queue_jobs
        WHERE active_job_id > coalesce($1::text, '') AND ($3::timestamptz IS NULL
            OR finished_at IS NULL OR finished_at >= $3 AT TIME ZONE 'UTC')
        ORDER BY 1 LIMIT $2
    """,
    live="""
        SELECT job.active_job_id, concat_ws(' ', max(job.id), max(claimed.id), max(failed.id),
            max(blocked.id), max(job.scheduled_at), max(job.priority), max(job.queue_name))
        FROM {schema}.solid_queue_jobs AS job
        LEFT JOIN {schema}.solid_queue_claimed_executions AS claimed ON claimed.job_id = job.id
        LEFT JOIN {schema}.solid_queue_failed_executions AS failed ON failed.job_id = job.id
        LEFT JOIN {schema}.solid_queue_blocked_executions AS blocked ON blocked.job_id = job.id
        WHERE job.finished_at IS NULL AND job.active_job_id IS NOT NULL GROUP BY job.active_job_id
    """,
    watermark="now() AT TIME ZONE 'UTC'",
    recent="""
        SELECT active_job_id, max(finished_at)::text FROM {schema}.solid_queue_jobs
        WHERE finished_at >= $1::text::timestamp AND active_job_id IS NOT NULL
        GROUP BY active_job_id
    """,
    keeps="1 day (clear_finished_jobs_after); failed jobs for ever",
    missed="when a job started, if it ran between two polls",
    unknown="errors that Active Job retried, starts of attempts that have ended, results",
)

"""PgQueuer: the log has each change of status; the row with the payload is deleted at the end."""

from collections.abc import Mapping
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
    READ,
    RUNNING,
    SUCCEEDED,
    History,
    later,
)

_JOBS, _LOG = "pgqueuer", "pgqueuer_log"
_STATUSES = {
    "queued": QUEUED,
    "picked": RUNNING,
    "successful": SUCCEEDED,
    "exception": DEAD_LETTER,
    "failed": DEAD_LETTER,
    "canceled": CANCELED,
    "deleted": CANCELED,
}
# Exceptions that ask for a retry: what went wrong is their cause.
_RETRIES = frozenset({"RetryRequested", "RetryException", "ExceptionGroup", "BaseExceptionGroup"})


def facts(rows: Rows, now: datetime) -> list[Fact]:
    """Map a job: the lines of its log in the order of their ids, and its row while there is one."""
    jobs = rows[_JOBS]
    job = jobs[0] if jobs else None
    log = sorted(rows[_LOG], key=lambda line: int(line["id"]))
    key = job["id"] if job else log[0]["job_id"]
    times = [*(line["created"] for line in log), *([job["created"]] if job else [])]
    history = History(str(key), min(times, default=now))
    due = later(job["execute_after"], job["created"]) if job else None
    queued = [line["id"] for line in log if line["status"] == "queued"]
    for line in log:
        is_last_queued = bool(queued) and line["id"] == queued[-1]
        _add_line(history, line, due if is_last_queued else None, job)
    if job:
        _add_row(history, job, due)
    named: Mapping[str, Any] = job or log[-1]
    return history.described(
        now,
        type=named["entrypoint"],
        queue="default",
        priority=named["priority"],
        max_attempts=max(history.attempt, 1),
        payload=job["payload"] if job else None,
    )


def _add_line(history: History, line: Row, due: datetime | None, job: Row | None) -> None:
    status, at, attempt = line["status"], line["created"], history.attempt
    traceback = line["traceback"] if isinstance(line["traceback"], dict) else None
    if status == "picked":
        history.begin(at, attempt + 1)
    elif status in {"exception", "failed"} or (status == "queued" and traceback):
        then = QUEUED if status == "queued" else DEAD_LETTER
        reported = _error(traceback or {})
        failed_at = v.time(str((traceback or {}).get("timestamp"))) or at
        history.fail(failed_at, attempt, then=then, scheduled_at=due, **reported)
    elif status == "queued":
        notes = {"dedupe_key": job["dedupe_key"]} if job and not history.facts else None
        history.add(QUEUED, at, attempt, scheduled_at=due, detail=notes)
    else:
        notes = {"event": status} if status == "deleted" else None
        history.add(_STATUSES[status], at, attempt, detail=notes)


def _add_row(history: History, job: Row, due: datetime | None) -> None:
    """Add what the row has and the log does not: it may be pruned or, if unlogged, be lost."""
    status = _STATUSES[job["status"]]
    if not history.facts:
        history.add(QUEUED, job["created"], 0, scheduled_at=due)
        if status is QUEUED and job["attempts"]:
            history.skip_to(job["attempts"], scheduled_at=due)
    if history.status is status:
        return
    attempt = max(history.attempt, job["attempts"] + (status is not QUEUED))
    if status is RUNNING:
        history.begin(job["updated"], attempt)
    elif status is DEAD_LETTER:
        if history.status is QUEUED:
            history.begin(job["updated"], attempt, ts_of="updated")
        history.fail(job["updated"], attempt, then=DEAD_LETTER)
    else:
        history.add(status, job["updated"], attempt, ts_of=READ)


def _error(traceback: Mapping[str, Any]) -> dict[str, Any]:
    code, message = traceback.get("exception_type"), traceback.get("exception_message")
    text = str(traceback.get("traceback") or "")
    if code in _RETRIES and len(chain := python_errors(text)) > 1:
        code, message = chain[-2]
    return {
        "error_code": code,
        "error_message": message or None,
        "detail": {"traceback": text or None},
    }


ADAPTER = Adapter(
    kind="pg_queuer",
    title="PgQueuer",
    landmark=(_JOBS, "entrypoint"),
    # It keeps no number of its schema: what each version has added shows it.
    version="""(
        SELECT CASE
            WHEN names @> '{slot,attempts}' THEN '1.6'
            WHEN names @> '{headers,attempts,execute_after}' THEN '1.0'
            ELSE 'before 1.0' END
        FROM (
            SELECT array_agg(attname::text) AS names FROM pg_attribute
            WHERE attrelid = '{schema}.pgqueuer'::regclass
        ) AS col
    )""",
    versions=("1.0", "1.6"),
    tables=(
        Table(
            _JOBS,
            {
                "id": int,
                "priority": int,
                "created": v.time,
                "updated": v.time,
                "execute_after": v.time,
                "status": v.text,
                "entrypoint": v.text,
                "dedupe_key": v.text,
                "payload": v.payload,
                "attempts": int,
            },
        ),
        Table(
            _LOG,
            {
                "id": int,
                "created": v.time,
                "job_id": int,
                "status": v.text,
                "priority": int,
                "entrypoint": v.text,
                "traceback": v.json,
            },
            key="t.job_id",
            joined=("job_id", "id"),
        ),
    ),
    facts=facts,
    page="""
        SELECT job.id::text FROM (
            (SELECT DISTINCT line.job_id AS id FROM {schema}.pgqueuer_log AS line
             WHERE ($1::text IS NULL OR line.job_id > $1::text::bigint)
                AND ($3::timestamptz IS NULL OR line.created >= $3)
             ORDER BY 1 LIMIT $2)
            UNION
            (SELECT waiting.id FROM {schema}.pgqueuer AS waiting
             WHERE $1::text IS NULL OR waiting.id > $1::text::bigint
             ORDER BY waiting.id LIMIT $2)
        ) AS job
        ORDER BY job.id LIMIT $2
    """,
    live="""
        SELECT id::text, concat_ws(' ', status, attempts, updated, execute_after, priority)
        FROM {schema}.pgqueuer
    """,
    recent="""
        SELECT job_id::text, max(id)::text FROM {schema}.pgqueuer_log
        WHERE created >= $1::text::timestamptz GROUP BY job_id
    """,
    keeps="their log, until it is cleared by hand; the row is deleted at the end",
    missed="payloads of jobs that are added and end between two polls",
    is_outlived=True,
    unknown="results, and the most attempts; payloads of jobs whose row is gone",
)

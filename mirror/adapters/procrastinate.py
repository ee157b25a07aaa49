"""Procrastinate: its events have each change of status and when, but no error and no result."""

from collections.abc import Sequence
from datetime import datetime

from db.facts import Fact
from db.statuses import JobStatus
from mirror.adapters import values as v
from mirror.adapters.adapter import Adapter, Row, Rows, Table
from mirror.adapters.history import (
    CANCELED,
    DEAD_LETTER,
    QUEUED,
    READ,
    RUNNING,
    SUCCEEDED,
    History,
)

_JOBS, _EVENTS = "procrastinate_jobs", "procrastinate_events"
_STATUSES = {
    "todo": QUEUED,
    "doing": RUNNING,
    "aborting": RUNNING,
    "succeeded": SUCCEEDED,
    "failed": DEAD_LETTER,
    "cancelled": CANCELED,
    "aborted": CANCELED,
}


def facts(rows: Rows, now: datetime) -> list[Fact]:
    """Map a job and its events.

    Events are in the order of their ids, which the lock of the job's row makes certain: the time of
    a `scheduled` is when the job is due. Starts are counted by events, because the column
    `attempts` counts ended runs, and retries by hand too.
    """
    job = rows[_JOBS][0]
    events = sorted(rows[_EVENTS], key=lambda event: int(event["id"]))
    times = [event["at"] for event in events if event["type"] != "scheduled" and event["at"]]
    history = History(str(job["id"]), min(times, default=now))
    _add_events(history, job, events)
    status = _STATUSES[job["status"]]
    if not history.facts:
        history.add(QUEUED, now, 0, ts_of=READ, detail=_keys(job))
    if history.status is not status:
        _add_status(history, status, now)
    return history.described(
        now,
        type=job["task_name"],
        queue=job["queue_name"],
        priority=job["priority"],
        max_attempts=max(history.attempt, 1),
        payload=job["args"],
    )


def _add_status(history: History, status: JobStatus, now: datetime) -> None:
    """Add what the row has and no event."""
    if status in {RUNNING, SUCCEEDED, DEAD_LETTER} and history.status is QUEUED:
        history.begin(now, history.attempt + 1, ts_of=READ)
    if status is DEAD_LETTER:
        history.fail(now, history.attempt, then=status, ts_of=READ)
    elif status is not history.status:
        history.add(status, now, history.attempt, ts_of=READ)


def _add_events(history: History, job: Row, events: Sequence[Row]) -> None:
    starts = [event["id"] for event in events if event["type"] == "started"]
    due = None
    for event in events:
        kind, at = event["type"], event["at"]
        if kind == "scheduled":
            due = at
            continue
        if kind == "started":
            # The row has the worker of the last start.
            worker = job["worker_id"] if event["id"] == starts[-1] else None
            history.begin(at, history.attempt + 1, worker=None if worker is None else str(worker))
        elif kind in {"deferred", "retried", "deferred_for_retry"}:
            _add_wait(history, job, kind, at, due)
        else:
            _add_end(history, job, kind, at, is_last=event is events[-1])
        due = None


def _add_wait(
    history: History, job: Row, kind: str, at: datetime | None, due: datetime | None
) -> None:
    attempt = history.attempt
    if kind == "deferred_for_retry":
        history.fail(at, attempt, then=QUEUED, scheduled_at=due)
    else:
        keys = None if history.facts else _keys(job)
        history.add(QUEUED, at, attempt, scheduled_at=due, detail=keys)


def _add_end(history: History, job: Row, kind: str, at: datetime | None, *, is_last: bool) -> None:
    attempt = history.attempt
    if kind == "failed":
        history.fail(at, attempt, then=DEAD_LETTER)
    elif kind == "abort_requested":
        if history.facts:
            history.add(history.status, at, attempt, detail={"event": kind})
    elif kind == "cancelled" and is_last:
        # It says so too of a job that ended as failed or succeeded without having been started.
        history.add(_STATUSES[job["status"]], at, attempt)
    elif kind in _STATUSES:
        history.add(_STATUSES[kind], at, attempt)


def _keys(job: Row) -> dict[str, str | None]:
    return {"lock": job["lock"], "queueing_lock": job["queueing_lock"]}


ADAPTER = Adapter(
    kind="procrastinate",
    title="Procrastinate",
    landmark=(_JOBS, "task_name"),
    # It keeps no number of its schema: what each version has added shows it.
    version="""(
        SELECT CASE
            WHEN type.labels @> '{retried}' AND type.others THEN 'newer than 3.4'
            WHEN type.labels @> '{retried}' THEN '3.4'
            WHEN col.names @> '{worker_id}' THEN '3.1'
            WHEN col.names @> '{abort_requested}' THEN '3.0'
            ELSE 'before 3.0' END
        FROM (
            SELECT array_agg(enumlabel::text) AS labels,
                bool_or(enumlabel NOT IN ('deferred', 'started', 'deferred_for_retry', 'failed',
                    'succeeded', 'cancelled', 'abort_requested', 'aborted', 'scheduled', 'retried'
                )) AS others
            FROM pg_enum JOIN pg_attribute ON atttypid = enumtypid
            WHERE attrelid = '{schema}.procrastinate_events'::regclass AND attname = 'type'
        ) AS type, (
            SELECT array_agg(attname::text) AS names FROM pg_attribute
            WHERE attrelid = '{schema}.procrastinate_jobs'::regclass
        ) AS col
    )""",
    versions=("3.0", "3.1", "3.4"),
    tables=(
        Table(
            _JOBS,
            {
                "id": int,
                "queue_name": v.text,
                "task_name": v.text,
                "priority": int,
                "lock": v.text,
                "queueing_lock": v.text,
                "args": v.json,
                "status": v.text,
                "scheduled_at": v.time,
                "worker_id": int,
            },
        ),
        Table(
            _EVENTS,
            {"id": int, "job_id": int, "type": v.text, "at": v.time},
            key="t.job_id",
            joined=("job_id", "id"),
        ),
    ),
    facts=facts,
    page="""
        SELECT job.id::text FROM {schema}.procrastinate_jobs AS job
        WHERE ($1::text IS NULL OR job.id > $1::text::bigint) AND ($3::timestamptz IS NULL
            OR status IN ('todo', 'doing') OR EXISTS (
                SELECT FROM {schema}.procrastinate_events AS event
                WHERE event.job_id = job.id AND event.at >= $3))
        ORDER BY job.id LIMIT $2
    """,
    live="""
        SELECT id::text, concat_ws(' ', status, attempts, priority, queue_name, abort_requested,
            scheduled_at) FROM {schema}.procrastinate_jobs WHERE status IN ('todo', 'doing')
    """,
    # No index has `at`, and ids are given before they are seen.
    watermark="(SELECT coalesce(max(id), 0) FROM {schema}.procrastinate_events)",
    recent="""
        SELECT job_id::text, max(id)::text FROM {schema}.procrastinate_events
        WHERE id > $1::text::bigint GROUP BY job_id
    """,
    keeps="for ever, unless the worker deletes jobs at their end, or delete_old_jobs is scheduled",
    missed="jobs that are deleted at their end and ran between two polls",
    unknown="errors, results and the most attempts: Procrastinate keeps none of them",
)

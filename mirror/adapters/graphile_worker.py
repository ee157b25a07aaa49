"""graphile-worker: rows of jobs that succeed are deleted; of failures only the last is kept."""

from datetime import datetime, timedelta
from math import exp

from db.facts import Fact
from mirror.adapters import values as v
from mirror.adapters.adapter import Adapter, Row, Rows, Table
from mirror.adapters.history import CANCELED, DEAD_LETTER, QUEUED, History, later

_JOBS, _TASKS, _QUEUES = "_private_jobs", "_private_tasks", "_private_job_queues"
# Failures are not dated. Each moves run_at by this: exp(least(attempts, 10)) seconds.
_MOST_STEPS = 10
_RECKONED = "run_at, less the delay of the retry"


def facts(rows: Rows, now: datetime) -> list[Fact]:
    """Map a job. Only permanentlyFailJobs, and changes by hand, move `updated_at`."""
    job = rows[_JOBS][0]
    tasks, queues = rows.get(_TASKS) or (), rows.get(_QUEUES) or ()
    history = History(str(job["id"]), job["created_at"])
    due = later(job["run_at"], job["created_at"])
    failed = job["attempts"] - (job["locked_at"] is not None)
    history.add(
        QUEUED,
        job["created_at"],
        0,
        scheduled_at=None if failed else due,
        detail=_notes(job),
    )
    has_ended = job["attempts"] >= job["max_attempts"] and job["locked_at"] is None
    if has_ended and job["updated_at"] > job["created_at"] and not _has_failed(job):
        # `attempts` was set to the most: how many there were is not known.
        history.add(CANCELED, job["updated_at"], 0, error_message=job["last_error"])
    else:
        _add_attempts(history, job, due, has_ended=has_ended)
    last = history.facts[-1]
    flags = job["flags"] if isinstance(job["flags"], dict) else {}
    return history.described(
        now,
        type=tasks[0]["identifier"] if tasks else None,
        queue=queues[0]["queue_name"] if queues else "default",
        priority=-job["priority"],
        max_attempts=job["max_attempts"],
        payload=job["payload"],
        tags=sorted(flags) or None,
        # What waits has it already; of a job that has ended it is what the queue shows.
        scheduled_at=due if history.status in {CANCELED, DEAD_LETTER} else last.scheduled_at,
    )


def _add_attempts(history: History, job: Row, due: datetime | None, *, has_ended: bool) -> None:
    attempts, is_running = job["attempts"], job["locked_at"] is not None
    failed = attempts - is_running
    if failed and job["last_error"] is not None:
        failed_at = _failed_at(job, failed)
        history.begin(failed_at, failed, ts_of=_RECKONED)
        history.fail(
            failed_at,
            failed,
            then=DEAD_LETTER if has_ended else QUEUED,
            ts_of=_RECKONED,
            scheduled_at=None if has_ended else due,
            error_message=job["last_error"],
        )
    elif failed:
        # Its worker gave it back, or was lost.
        history.skip_to(failed, scheduled_at=due)
    if is_running:
        history.begin(job["locked_at"], attempts, worker=job["locked_by"])


def _failed_at(job: Row, attempts: int) -> datetime:
    delay: datetime = job["run_at"] - timedelta(seconds=exp(min(attempts, _MOST_STEPS)))
    return delay


def _has_failed(job: Row) -> bool:
    """Whether a job that was replaced by its key has failed for good after that."""
    return bool(job["revision"] > 0 and _failed_at(job, job["attempts"]) >= job["updated_at"])


def _notes(job: Row) -> dict[str, str | None]:
    return {"key": job["key"]}


def _beside(name: str, column: str, label: str) -> Table:
    return Table(
        name,
        {"id": int, label: v.text},
        key="job.id",
        source="{schema}._private_jobs AS job "
        f"JOIN {{schema}}.{name} AS t ON t.id = job.{column}",
        joined=("id", column),
        is_beside=True,
    )


ADAPTER = Adapter(
    kind="graphile_worker",
    title="graphile-worker",
    landmark=(_JOBS, "task_id"),
    version="(SELECT max(id)::text FROM {schema}.migrations)",
    versions=("18", "19", "20"),
    tables=(
        Table(
            _JOBS,
            {
                "id": int,
                "job_queue_id": int,
                "task_id": int,
                "payload": v.json,
                "priority": int,
                "run_at": v.time,
                "attempts": int,
                "max_attempts": int,
                "last_error": v.text,
                "created_at": v.time,
                "updated_at": v.time,
                "key": v.text,
                "locked_at": v.time,
                "locked_by": v.text,
                "revision": int,
                "flags": v.json,
            },
        ),
        _beside(_TASKS, "task_id", "identifier"),
        _beside(_QUEUES, "job_queue_id", "queue_name"),
    ),
    facts=facts,
    page="""
        SELECT job.id::text FROM {schema}._private_jobs AS job
        WHERE ($1::text IS NULL OR job.id > $1::text::bigint)
            AND ($3::timestamptz IS NULL OR greatest(created_at, run_at) >= $3)
        ORDER BY job.id LIMIT $2
    """,
    live="""
        SELECT id::text, concat_ws(' ', attempts, max_attempts, locked_at, run_at, updated_at,
            priority) FROM {schema}._private_jobs
    """,
    # Nothing that has ended stays, but for failed jobs, which may be retried.
    recent="SELECT NULL::text, NULL::text WHERE $1::text IS NULL",
    keeps="if they failed for good; those that succeed are deleted at once",
    missed="jobs that start and succeed between two polls; how a job ended that vanished",
    unknown="results; errors and times of attempts that are not the last",
    deletes=True,
)

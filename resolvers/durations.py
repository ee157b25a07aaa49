"""Wait and run times of jobs. db.queries.durations has the same rules in SQL.

What the facts of a source do not report is inferred at the time of what follows: so a wait or a run
of 0 s of such a job is not known.
"""

from datetime import datetime
from typing import Any

from db.statuses import JobStatus

WAIT_COLUMNS = frozenset(
    {"queued_at", "scheduled_at", "started_at", "finished_at", "status", "source_id"}
)
RUN_COLUMNS = frozenset({"started_at", "finished_at", "status", "source_id"})
_QUEUED, _RUNNING = JobStatus.QUEUED.value, JobStatus.RUNNING.value


def wait_seconds(job: Any, now: datetime) -> float | None:
    """Return the wait for the last run in seconds, up to `now` while the job is queued.

    It starts at `queued_at` or `scheduled_at`, whichever is later. None for a job that ended
    without a start, or if a source did not report it; 0 for a job scheduled in the future.
    """
    due, scheduled = job.queued_at, job.scheduled_at
    if scheduled is not None and scheduled > due:
        due = scheduled
    if job.status == _QUEUED:
        return elapsed_seconds(due, now)
    start = job.started_at
    if start is None:
        return None
    if job.source_id is not None and (due >= start or start == job.finished_at):
        return None
    return elapsed_seconds(due, start)


def run_seconds(job: Any, now: datetime) -> float | None:
    """Return the duration of the last run in seconds, up to `now`.

    None if it has not started, or if a source did not report when.
    """
    start, end = job.started_at, job.finished_at
    if end is None and job.status == _RUNNING:
        end = now
    if start is None or end is None:
        return None
    if job.source_id is not None and start == job.finished_at:
        return None
    return elapsed_seconds(start, end)


def elapsed_seconds(start: datetime, end: datetime) -> float:
    """Return the seconds from `start` to `end`; 0 if clock skew puts `end` before `start`."""
    return (end - start).total_seconds() if end > start else 0.0

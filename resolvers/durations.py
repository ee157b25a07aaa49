"""Wait and run times of jobs. db.queries.aggregates has the same rules in SQL."""

from datetime import datetime
from typing import Any

from db.statuses import JobStatus

WAIT_COLUMNS = frozenset({"queued_at", "scheduled_at", "started_at", "status"})
RUN_COLUMNS = frozenset({"started_at", "finished_at", "status"})


def wait_seconds(job: Any, now: datetime) -> float | None:
    """Return the wait for the last run in seconds, up to `now` while the job is queued.

    It starts at `queued_at` or `scheduled_at`, whichever is later. None for a job that ended
    without a start; 0 for a job scheduled in the future.
    """
    due = max(job.queued_at, job.scheduled_at) if job.scheduled_at else job.queued_at
    if job.status == JobStatus.QUEUED:
        return elapsed_seconds(due, now)
    return None if job.started_at is None else elapsed_seconds(due, job.started_at)


def run_seconds(job: Any, now: datetime) -> float | None:
    """Return the duration of the last run in seconds, up to `now`; None if it has not started."""
    if job.started_at is None:
        return None
    if job.finished_at is not None:
        return elapsed_seconds(job.started_at, job.finished_at)
    return elapsed_seconds(job.started_at, now) if job.status == JobStatus.RUNNING else None


def elapsed_seconds(start: datetime, end: datetime) -> float:
    """Return the seconds from `start` to `end`; 0 if clock skew puts `end` before `start`."""
    return (end - start).total_seconds() if end > start else 0.0

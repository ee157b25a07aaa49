"""Wait and run times of jobs. db.queries.aggregates has the same rules in SQL."""

from datetime import datetime
from typing import Any

from db.statuses import JobStatus

WAIT_COLUMNS = frozenset({"queued_at", "scheduled_at", "started_at", "status"})
RUN_COLUMNS = frozenset({"started_at", "finished_at", "status"})
_QUEUED, _RUNNING = JobStatus.QUEUED.value, JobStatus.RUNNING.value


def wait_seconds(job: Any, now: datetime) -> float | None:
    """Return the wait for the last run in seconds, up to `now` while the job is queued.

    It starts at `queued_at` or `scheduled_at`, whichever is later. None for a job that ended
    without a start; 0 for a job scheduled in the future.
    """
    due, scheduled = job.queued_at, job.scheduled_at
    if scheduled is not None and scheduled > due:
        due = scheduled
    end = now if job.status == _QUEUED else job.started_at
    if end is None:
        return None
    return (end - due).total_seconds() if end > due else 0.0


def run_seconds(job: Any, now: datetime) -> float | None:
    """Return the duration of the last run in seconds, up to `now`; None if it has not started."""
    start, end = job.started_at, job.finished_at
    if end is None and job.status == _RUNNING:
        end = now
    if start is None or end is None:
        return None
    return (end - start).total_seconds() if end > start else 0.0


def elapsed_seconds(start: datetime, end: datetime) -> float:
    """Return the seconds from `start` to `end`; 0 if clock skew puts `end` before `start`."""
    return (end - start).total_seconds() if end > start else 0.0

"""How long a job waited and ran. db.queries.aggregates holds the same rules in SQL."""

from datetime import datetime
from typing import Any

from db.statuses import JobStatus

WAIT_COLUMNS = frozenset({"queued_at", "scheduled_at", "started_at", "status"})
RUN_COLUMNS = frozenset({"started_at", "finished_at", "status"})


def wait_seconds(job: Any, now: datetime) -> float | None:
    """Measure the wait for the last run, in seconds; while the job is queued, until now.

    It begins when the job was queued last or is due, whichever is later. None for a job that ended
    without a start. A job scheduled in the future has waited 0 seconds.
    """
    due = max(job.queued_at, job.scheduled_at) if job.scheduled_at else job.queued_at
    if job.status == JobStatus.QUEUED:
        return elapsed_seconds(due, now)
    return None if job.started_at is None else elapsed_seconds(due, job.started_at)


def run_seconds(job: Any, now: datetime) -> float | None:
    """Measure the last run; while it goes on, until now. None for a job that has not started."""
    if job.started_at is None:
        return None
    if job.finished_at is not None:
        return elapsed_seconds(job.started_at, job.finished_at)
    return elapsed_seconds(job.started_at, now) if job.status == JobStatus.RUNNING else None


def elapsed_seconds(start: datetime, end: datetime) -> float:
    """Measure the seconds between two times; clocks that disagree make it 0, never less."""
    return max(0.0, (end - start).total_seconds())

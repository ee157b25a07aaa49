"""Wait and run times of jobs as SQL expressions, with the rules of resolvers.durations."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Double, and_, case, cast, func, literal, or_

from db.statuses import JobStatus
from db.tables import Timestamp, job_table
from db.times import FIRST, LAST

job = job_table.c
_is_queued = job.status == literal(JobStatus.QUEUED.value, literal_execute=True)
_due_at = func.greatest(job.queued_at, job.scheduled_at)
# Whether a source, if one runs the job, reported the last run's start and end, and its wait.
_run_is_reported = or_(job.source_id.is_(None), job.started_at.is_distinct_from(job.finished_at))
_wait_is_reported = or_(job.source_id.is_(None), and_(_due_at < job.started_at, _run_is_reported))
# Whether the wait for the last run, or the run itself, has ended, and its duration is known.
wait_has_ended = and_(
    job.status != literal(JobStatus.QUEUED.value, literal_execute=True),
    job.started_at.is_not(None),
    _wait_is_reported,
)
run_has_ended = and_(job.started_at.is_not(None), job.finished_at.is_not(None), _run_is_reported)


def wait_seconds(now: datetime) -> ColumnElement[float | None]:
    """Return resolvers.durations.wait_seconds as an SQL expression."""
    ended = case(
        (_is_queued, literal(now, Timestamp)),
        (_wait_is_reported, job.started_at),
    )
    return _seconds(_due_at, ended)


def run_seconds(now: datetime) -> ColumnElement[float | None]:
    """Return resolvers.durations.run_seconds as an SQL expression."""
    is_running = job.status == literal(JobStatus.RUNNING.value, literal_execute=True)
    ended = case(
        (and_(job.finished_at.is_not(None), _run_is_reported), job.finished_at),
        (is_running, literal(now, Timestamp)),
    )
    return _seconds(job.started_at, ended)


def _seconds(began: ColumnElement[Any], ended: ColumnElement[Any]) -> ColumnElement[float | None]:
    between = _clamped(ended) - _clamped(began)
    elapsed: ColumnElement[Any] = cast(func.extract("epoch", between), Double())
    # greatest() ignores nulls, so a missing time needs its own case.
    return case((elapsed.is_not(None), func.greatest(elapsed, 0.0)))


def _clamped(time: ColumnElement[Any]) -> ColumnElement[Any]:
    """Clamp a time to the years shown: PostgreSQL before 17 cannot subtract infinity."""
    first, last = (literal(end, Timestamp) for end in (FIRST, LAST))
    return case((time < first, first), (time > last, last), else_=time)


def ended_wait_seconds() -> ColumnElement[Any]:
    """Return the wait of a job that meets `wait_has_ended`."""
    return _seconds(_due_at, job.started_at)


def ended_run_seconds() -> ColumnElement[Any]:
    """Return the duration of the run of a job that meets `run_has_ended`."""
    return _seconds(job.started_at, job.finished_at)

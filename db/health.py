"""The health of jobs that are under way, judged by what is usual for their type.

The rule stands here for a job in Python, and in db.queries.health for filters in SQL; a property
test holds them together.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from db.statuses import JobStatus

# What is usual follows from the last days, if there were so many waits or runs.
DAYS = 7
MIN_SAMPLE = 20
# Shorter times are not noticed.
MIN_LATE = MIN_STUCK = MIN_SILENT = timedelta(seconds=60)
MIN_SLOW = timedelta(seconds=10)
LATE_FACTOR, STUCK_FACTOR = 2, 3
FLAPPING_ATTEMPTS = 3


class HealthVerdict(StrEnum):
    """How a job that is under way does."""

    OK = "ok"
    LATE = "late"
    STUCK = "stuck"
    SLOW = "slow"
    FLAPPING = "flapping"
    UNKNOWN = "unknown"


# The statuses of the jobs with a verdict.
STATUSES = {
    HealthVerdict.LATE: frozenset({JobStatus.QUEUED}),
    HealthVerdict.STUCK: frozenset({JobStatus.RUNNING}),
    HealthVerdict.SLOW: frozenset({JobStatus.RUNNING}),
    HealthVerdict.FLAPPING: frozenset({JobStatus.QUEUED, JobStatus.RUNNING}),
    HealthVerdict.UNKNOWN: frozenset({JobStatus.QUEUED, JobStatus.RUNNING}),
    HealthVerdict.OK: frozenset(JobStatus),
}
# The columns of a job that `judge` reads.
JUDGED_COLUMNS = frozenset(
    {
        "type",
        "status",
        "attempt",
        "queued_at",
        "scheduled_at",
        "started_at",
        "updated_at",
        "progress_at",
        "error_group",
    }
)


@dataclass(frozen=True, slots=True)
class Figures:
    """The waits or runs of a type: their number, and in seconds the median and the percentile."""

    sample: int = 0
    median: float | None = None
    p95: float | None = None


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual for a type, and the bounds that follow from it; None: there were too few."""

    wait: Figures = Figures()
    run: Figures = Figures()
    late_after: timedelta | None = None
    slow_after: timedelta | None = None
    stuck_after: timedelta | None = None
    silent_after: timedelta | None = None

    @property
    def is_known(self) -> bool:
        """Whether there were enough of both waits and runs."""
        return self.late_after is not None and self.slow_after is not None


@dataclass(frozen=True, slots=True)
class Health:
    """A verdict, since when it holds if that is known, and the figures it was judged by."""

    verdict: HealthVerdict
    since: datetime | None
    figures: Figures


def usual_of(wait: Figures, run: Figures) -> Usual:
    """Return what is usual for a type with these waits and runs."""
    waits = _enough(wait)
    runs = _enough(run)
    return Usual(
        wait,
        run,
        late_after=None if waits is None else max(MIN_LATE, LATE_FACTOR * waits),
        slow_after=None if runs is None else max(MIN_SLOW, runs),
        stuck_after=None if runs is None else max(MIN_STUCK, STUCK_FACTOR * runs),
        silent_after=None if runs is None else max(MIN_SILENT, runs),
    )


def _enough(figures: Figures) -> timedelta | None:
    if figures.sample < MIN_SAMPLE or figures.p95 is None:
        return None
    return timedelta(seconds=figures.p95)


def judge(job: Any, usual: Usual, now: datetime) -> Health:
    """Judge a job, which has JUDGED_COLUMNS."""
    if job.status == JobStatus.QUEUED:
        return _of_queued(job, usual, now)
    if job.status == JobStatus.RUNNING:
        return _of_running(job, usual, now)
    return Health(HealthVerdict.OK, None, usual.run)


def _of_queued(job: Any, usual: Usual, now: datetime) -> Health:
    due = job.queued_at if job.scheduled_at is None else max(job.queued_at, job.scheduled_at)
    if _is_over(due, usual.late_after, now):
        return Health(HealthVerdict.LATE, _later(due, usual.late_after), usual.wait)
    if _is_flapping(job):
        return Health(HealthVerdict.FLAPPING, None, usual.wait)
    unknown = usual.late_after is None
    return Health(HealthVerdict.UNKNOWN if unknown else HealthVerdict.OK, None, usual.wait)


def _of_running(job: Any, usual: Usual, now: datetime) -> Health:
    # Progress leaves updated_at as it is.
    heard = job.updated_at if job.progress_at is None else max(job.updated_at, job.progress_at)
    ran_too_long = _is_over(job.started_at, usual.stuck_after, now)
    if ran_too_long and _is_over(heard, usual.silent_after, now):
        since = max(_later(job.started_at, usual.stuck_after), _later(heard, usual.silent_after))
        return Health(HealthVerdict.STUCK, since, usual.run)
    if _is_flapping(job):
        return Health(HealthVerdict.FLAPPING, None, usual.run)
    if _is_over(job.started_at, usual.slow_after, now):
        return Health(HealthVerdict.SLOW, _later(job.started_at, usual.slow_after), usual.run)
    unknown = usual.slow_after is None
    return Health(HealthVerdict.UNKNOWN if unknown else HealthVerdict.OK, None, usual.run)


def _is_flapping(job: Any) -> bool:
    return job.attempt >= FLAPPING_ATTEMPTS and job.error_group is not None


def _is_over(began: datetime | None, length: timedelta | None, now: datetime) -> bool:
    if began is None or length is None:
        return False
    # As now - length: a time near the first one has no earlier ones.
    try:
        return began < now - length
    except OverflowError:
        return False


def _later(began: datetime, length: timedelta | None) -> datetime:
    assert length is not None
    return began + length

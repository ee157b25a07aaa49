"""Changes of job status: checked against the allowed transitions, each with its event."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.backoff import Backoff
from db.commands.events import change_with_events, json_text
from db.commands.transition_statements import Given, Shape, change_all, seconds_of
from db.criteria import JobCriteria
from db.error_groups.fingerprints import fingerprint_of
from db.limits import MAX_INT32
from db.outcomes import ChangedJob, IllegalTransition, JobNotFound, ReadOnlyJob
from db.queries.attempts import WORKER
from db.queries.jobs import JobRow, load_jobs_by_id
from db.statuses import TRANSITIONS, JobStatus

# The statuses from which a job may be queued again: workers requeue running jobs and retry failed
# ones; only operators retry canceled and dead-lettered ones.
QUEUED_BY_WORKER = frozenset({JobStatus.RUNNING, JobStatus.FAILED})
QUEUED_BY_OPERATOR = frozenset({JobStatus.FAILED, JobStatus.DEAD_LETTER, JobStatus.CANCELED})

# The columns of a row that `is_allowed` reads.
STATE_COLUMNS = frozenset({"status", "attempt", "max_attempts", "event_seq", "source_id"})
# How often a change is tried while other writers keep changing the job's status.
MAX_TRIES = 5


@dataclass(frozen=True, slots=True)
class Transition:
    """A requested change of status. Fields that do not apply to `to` are ignored.

    `expected`: only from this status. `attempt`: only while the job is in this attempt, so that a
    lost run whose job was requeued cannot end the next run. `by_operator`: a retry starts at once,
    even without attempts left, and is also allowed for canceled and dead-lettered jobs. `detail`
    is stored in the event; the caller adds `reason` to it. `worker`: who starts it.
    """

    to: JobStatus
    expected: JobStatus | None = None
    attempt: int | None = None
    result: Any = None
    error_code: str | None = None
    error_message: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    by_operator: bool = False
    worker: str | None = None

    @property
    def sources(self) -> frozenset[JobStatus]:
        """The statuses that it is allowed from."""
        return _sources(self.to, self.expected, self.by_operator)

    @property
    def event_detail(self) -> Mapping[str, Any] | None:
        """The detail of its event; None rather than an empty one."""
        given = {"error_code": self.error_code, "error_message": self.error_message}
        if self.to is JobStatus.RUNNING:
            given[WORKER] = self.worker
        return {**self.detail, **{k: v for k, v in given.items() if v is not None}} or None

    def allows(self, status: JobStatus, *, attempt: int, max_attempts: int) -> bool:
        """Return whether it is allowed for a job in this status and attempt."""
        if self.attempt not in {None, attempt}:
            return False
        retries = self.to is JobStatus.QUEUED and status is not JobStatus.RUNNING
        needs_attempts = self.to is JobStatus.RUNNING or (retries and not self.by_operator)
        return status in self.sources and (attempt < max_attempts or not needs_attempts)


@lru_cache(maxsize=200)
def _sources(to: JobStatus, expected: JobStatus | None, by_operator: bool) -> frozenset[JobStatus]:
    legal = frozenset(status for status, nexts in TRANSITIONS.items() if to in nexts)
    if to is JobStatus.QUEUED:
        legal &= QUEUED_BY_OPERATOR if by_operator else QUEUED_BY_WORKER
    return legal if expected is None else legal & {expected}


async def change_job(
    session: AsyncSession,
    org_id: UUID,
    job_id: UUID,
    transition: Transition,
    *,
    now: datetime,
    backoff: Backoff,
    returning: Collection[str] = (),
) -> ChangedJob | IllegalTransition | JobNotFound | ReadOnlyJob:
    """Change the status of one job as `change_status` does.

    The outcome's row has `returning`, `id` and STATE_COLUMNS.
    """
    columns = STATE_COLUMNS.union(returning)
    row = None
    for _ in range(MAX_TRIES):
        changed = await change_status(
            session, org_id, [job_id], transition, now=now, backoff=backoff, returning=columns
        )
        if changed:
            return ChangedJob(changed[0])
        row = next(iter(await load_jobs_by_id(session, org_id, [job_id], columns)), None)
        # Another writer may have changed the job between the two statements.
        if row is None or not is_allowed(transition, row):
            break
    return refusal(job_id, transition, row)


def refusal(
    job_id: UUID, transition: Transition, row: JobRow | None
) -> IllegalTransition | JobNotFound | ReadOnlyJob:
    """Return why the job was not changed. `row`: as it is, with STATE_COLUMNS."""
    if row is None:
        return JobNotFound(job_id)
    if row.source_id is not None:
        return ReadOnlyJob(row)
    allowed = [
        status
        for status in JobStatus
        if is_allowed(replace(transition, to=status, expected=None), row)
    ]
    return IllegalTransition(row, transition.to, allowed, transition.attempt)


def is_allowed(transition: Transition, row: JobRow) -> bool:
    """Return whether the change is allowed for a job. The row has STATE_COLUMNS."""
    if row.source_id is not None:
        return False
    counter = max(row.event_seq, row.attempt if transition.to is JobStatus.QUEUED else 0)
    return counter < MAX_INT32 and transition.allows(
        JobStatus(row.status), attempt=row.attempt, max_attempts=row.max_attempts
    )


async def change_status(
    session: AsyncSession,
    org_id: UUID,
    job_ids: Sequence[UUID],
    transition: Transition,
    *,
    now: datetime,
    backoff: Backoff,
    criteria: JobCriteria | None = None,
    skip_locked: bool = False,
    returning: Collection[str] = (),
) -> Sequence[JobRow]:
    """Change the status of those jobs that are in one of the transition's sources.

    Only jobs that meet the criteria once their rows are locked. Rows are locked in the order of
    their ids; locked ones are waited for, or skipped with `skip_locked`. Of two concurrent callers
    only one gets a job's row. The time of the change is `now`, or the job's latest time if that is
    later. Rows have `returning` and STATE_OF_EVENT.
    """
    if not job_ids or not transition.sources:
        return []
    shape, detail = shape_of(transition), transition.event_detail
    return await change_with_events(
        session,
        org_id,
        change_all,
        list(job_ids),
        shape,
        given_of(transition, shape, backoff),
        now,
        seconds_of(backoff, shape),
        criteria,
        skip_locked,
        frozenset(returning),
        detail=lambda _: detail,
    )


def shape_of(transition: Transition) -> Shape:
    """Return what the statement of a transition is built for."""
    return Shape(transition.to, transition.sources, transition.by_operator)


def given_of(transition: Transition, shape: Shape, backoff: Backoff) -> Given:
    """Return the values of a transition's statement."""
    return Given(
        attempt=transition.attempt,
        detail=json_text(transition.event_detail),
        jitter=backoff.jitter if shape.waits else None,
        worker=transition.worker if shape.to is JobStatus.RUNNING else None,
        **_ending(transition) if shape.ends else {},
    )


def _ending(transition: Transition) -> dict[str, Any]:
    fingerprint = fingerprint_of(transition.error_code, transition.error_message)
    return {
        "result": json_text(transition.result),
        "error_code": transition.error_code,
        "error_message": transition.error_message,
        "error_group": fingerprint.id if fingerprint else None,
    }

"""Changes of job status: checked against the allowed transitions, each with its event."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Double,
    Interval,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy import Uuid as UuidType
from sqlalchemy.ext.asyncio import AsyncSession

from db.backoff import Backoff
from db.commands.events import append_events, change_time
from db.commands.notifications import notify
from db.criteria import JobCriteria
from db.limits import MAX_INT32
from db.outcomes import ChangedJob, IllegalTransition, JobNotFound
from db.queries.filters import is_any, job_conditions
from db.queries.jobs import JobRow, job_columns, load_jobs_by_id
from db.statuses import TRANSITIONS, BackoffPolicy, JobStatus
from db.tables import job_table

job = job_table.c

# The statuses from which a job may be queued again: workers requeue running jobs and retry failed
# ones; only operators retry canceled and dead-lettered ones.
QUEUED_BY_WORKER = frozenset({JobStatus.RUNNING, JobStatus.FAILED})
QUEUED_BY_OPERATOR = frozenset({JobStatus.FAILED, JobStatus.DEAD_LETTER, JobStatus.CANCELED})

# The columns of a row that `is_allowed` reads.
STATE_COLUMNS = frozenset({"status", "attempt", "max_attempts", "event_seq"})
# How often a change is tried while other writers keep changing the job's status.
MAX_TRIES = 5


@dataclass(frozen=True, slots=True)
class Transition:
    """A requested change of status. Fields that do not apply to `to` are ignored.

    `expected`: only from this status. `attempt`: only while the job is in this attempt, so that a
    lost run whose job was requeued cannot end the next run. `by_operator`: a retry starts at once,
    even without attempts left, and is also allowed for canceled and dead-lettered jobs. `detail`
    is stored in the event; the caller adds `reason` to it.
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

    @property
    def sources(self) -> frozenset[JobStatus]:
        """The statuses that it is allowed from."""
        legal = frozenset(status for status, nexts in TRANSITIONS.items() if self.to in nexts)
        if self.to is JobStatus.QUEUED:
            legal &= QUEUED_BY_OPERATOR if self.by_operator else QUEUED_BY_WORKER
        return legal if self.expected is None else legal & {self.expected}

    def allows(self, status: JobStatus, *, attempt: int, max_attempts: int) -> bool:
        """Return whether it is allowed for a job in this status and attempt."""
        if self.attempt not in {None, attempt}:
            return False
        retries = self.to is JobStatus.QUEUED and status is not JobStatus.RUNNING
        needs_attempts = self.to is JobStatus.RUNNING or (retries and not self.by_operator)
        return status in self.sources and (attempt < max_attempts or not needs_attempts)


async def change_job(
    session: AsyncSession,
    org_id: UUID,
    job_id: UUID,
    transition: Transition,
    *,
    now: datetime,
    backoff: Backoff,
    returning: Collection[str] = (),
) -> ChangedJob | IllegalTransition | JobNotFound:
    """Change the status of one job as `change_status` does.

    The outcome's row has `returning`, `id` and STATE_COLUMNS; that of a ChangedJob also `before`,
    the previous status.
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
    if row is None:
        return JobNotFound(job_id)
    allowed = [
        status
        for status in JobStatus
        if is_allowed(replace(transition, to=status, expected=None), row)
    ]
    return IllegalTransition(row, transition.to, allowed, transition.attempt)


def is_allowed(transition: Transition, row: JobRow) -> bool:
    """Return whether the change is allowed for a job. The row has STATE_COLUMNS."""
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
    later. Rows have `returning`, `id`, `attempt`, `event_seq`, `updated_at` and `before`, the
    previous status.
    """
    if not transition.sources:
        return []
    before = (
        select(job.id, job.status)
        .where(
            job_conditions(org_id, criteria),
            is_any(job.id, job_ids, UuidType()),
            _guard(transition),
        )
        .order_by(job.id)
        .with_for_update(skip_locked=skip_locked)
        .subquery("before")
    )
    statement = (
        update(job_table)
        .where(job.org_id == org_id, job.id == before.c.id)
        .values(_values(transition, now, backoff))
        .returning(
            before.c.status.label("before"),
            *job_columns({"id", "attempt", "event_seq", "updated_at", *returning}),
        )
    )
    rows = (await session.execute(statement)).all()
    if rows:
        await append_events(session, [_event(org_id, row, transition) for row in rows])
        await notify(session, org_id)
    return rows


def _guard(transition: Transition) -> ColumnElement[bool]:
    # Jobs whose counters are at their maximum are skipped: they must not fail a bulk change.
    legal = and_(job.status.in_(sorted(transition.sources)), job.event_seq < MAX_INT32)
    if transition.attempt is not None:
        legal = and_(legal, job.attempt == transition.attempt)
    if transition.to is JobStatus.RUNNING:
        return and_(legal, job.attempt < job.max_attempts)
    if transition.to is JobStatus.QUEUED:
        legal = and_(legal, job.attempt < MAX_INT32)
    if transition.to is JobStatus.QUEUED and not transition.by_operator:
        # Workers may requeue a running job at any time, but retry only while attempts are left.
        return and_(
            legal, or_(job.status == JobStatus.RUNNING.value, job.attempt < job.max_attempts)
        )
    return legal


def _values(transition: Transition, now: datetime, backoff: Backoff) -> dict[str, Any]:
    time = change_time(now)
    values: dict[str, Any] = {
        "status": transition.to.value,
        "event_seq": job.event_seq + 1,
        "updated_at": time,
    }
    if transition.to is JobStatus.RUNNING:
        return values | {"attempt": job.attempt + 1, "started_at": time, "finished_at": None}
    if transition.to is JobStatus.QUEUED:
        return values | {
            "started_at": None,
            "finished_at": None,
            "queued_at": time,
            "scheduled_at": _scheduled_at(transition, time, backoff),
            # Allow one more start if the run was lost rather than failed.
            "max_attempts": func.greatest(job.max_attempts, job.attempt + 1),
        }
    # A job that had already ended keeps its end time.
    values["finished_at"] = func.coalesce(job.finished_at, time)
    if transition.result is not None:
        values["result"] = transition.result
    if transition.error_code is not None or transition.error_message is not None:
        values["last_error_code"] = transition.error_code
        values["last_error_message"] = transition.error_message
    return values


def _scheduled_at(
    transition: Transition, time: ColumnElement[datetime], backoff: Backoff
) -> ColumnElement[Any]:
    """Return when the job is due: after its policy's wait if it failed, otherwise at once."""
    if transition.by_operator:
        return null()
    base: ColumnElement[float] = literal(backoff.base_seconds, Double())
    doubled = base * func.power(
        cast(2, Double()), func.least(func.greatest(job.attempt - 1, 0), 60)
    )
    seconds = case(
        (job.backoff_policy == BackoffPolicy.FIXED.value, base),
        (job.backoff_policy == BackoffPolicy.EXPONENTIAL.value, doubled),
    )
    delay = func.least(seconds, literal(backoff.cap_seconds, Double())) * backoff.jitter
    due = time + cast(func.make_interval(0, 0, 0, 0, 0, 0, delay), Interval())
    failed = job.status == JobStatus.FAILED.value
    waits = job.backoff_policy != BackoffPolicy.NONE.value
    return case((and_(failed, waits), due))


def _event(org_id: UUID, row: JobRow, transition: Transition) -> dict[str, Any]:
    errors = {"error_code": transition.error_code, "error_message": transition.error_message}
    detail = dict(transition.detail) | {k: v for k, v in errors.items() if v is not None}
    return {
        "org_id": org_id,
        "job_id": row.id,
        "seq": row.event_seq,
        "ts": row.updated_at,
        "prev_status": row.before,
        "next_status": transition.to.value,
        "attempt": row.attempt,
        "detail": detail or None,
    }

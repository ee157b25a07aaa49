"""Changes of a job's status: guarded, counted, and told by an event in the same transaction."""

import random
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

from db.commands.events import append_events, moment_of
from db.commands.notifications import notify
from db.criteria import JobCriteria
from db.limits import MAX_BACKOFF_SECONDS, MAX_INT32
from db.queries.filters import is_any, job_conditions
from db.queries.jobs import JobRow, job_columns
from db.statuses import TRANSITIONS, BackoffPolicy, JobStatus
from db.tables import job_table

job = job_table.c

# Who may queue a job again, and from which statuses: a worker gives back what it runs and retries
# what failed. What was called off or given up stays so, unless an operator retries it.
QUEUED_BY_WORKER = frozenset({JobStatus.RUNNING, JobStatus.FAILED})
QUEUED_BY_OPERATOR = frozenset({JobStatus.FAILED, JobStatus.DEAD_LETTER, JobStatus.CANCELED})

# How much a retry's wait may differ from its policy's, either way.
JITTER = 0.1


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long a retry waits: `base_seconds`, doubled for each further one, at most `cap_seconds`.

    `jitter` is a random factor, so that what failed together does not return together. Raises
    ValueError for seconds that are negative or more than a year.
    """

    base_seconds: float = 10.0
    cap_seconds: float = 3600.0
    jitter: float = 1.0

    def __post_init__(self) -> None:
        for seconds in (self.base_seconds, self.cap_seconds):
            if not 0 <= seconds <= MAX_BACKOFF_SECONDS:
                raise ValueError(f"A wait of {seconds} seconds is negative or more than a year.")

    def jittered(self) -> "Backoff":
        """Draw a factor anew."""
        factor = 1 + JITTER * (2 * random.random() - 1)  # noqa: S311 - it spreads load, hides nothing
        return replace(self, jitter=factor)


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of status as it is wanted. Parts that do not go with `to` are left out.

    `expected`: only from this status. `attempt`: only while the job is in this attempt, so that a
    run which was given back as lost cannot end the run after it. `by_operator`: a retry goes at
    once, also without attempts left, and of jobs called off or given up, too. `detail` goes into
    the event, and so does `reason`, by who signs it.
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
        """The statuses that it may start from."""
        legal = frozenset(status for status, nexts in TRANSITIONS.items() if self.to in nexts)
        if self.to is JobStatus.QUEUED:
            legal &= QUEUED_BY_OPERATOR if self.by_operator else QUEUED_BY_WORKER
        return legal if self.expected is None else legal & {self.expected}

    def allows(self, status: JobStatus, *, attempt: int, max_attempts: int) -> bool:
        """Tell whether it may be made of a job that is in this status and attempt."""
        if self.attempt not in {None, attempt}:
            return False
        retries = self.to is JobStatus.QUEUED and status is not JobStatus.RUNNING
        needs_attempts = self.to is JobStatus.RUNNING or (retries and not self.by_operator)
        return status in self.sources and (attempt < max_attempts or not needs_attempts)


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

    Only those that still meet the criteria when their rows are locked: in the order of their ids,
    waiting for rows that others hold, or passing over them with `skip_locked`. Of two who race
    for a job, one gets its row and the other nothing. It happens at `now`, but not before what has
    happened to the job already. Rows have `returning`, `id`, `attempt`, `event_seq`, `updated_at`
    and `before`, the status that was.
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
    # One whose numbers are at their end is passed over: it must not fail what is done to many.
    legal = and_(job.status.in_(sorted(transition.sources)), job.event_seq < MAX_INT32)
    if transition.attempt is not None:
        legal = and_(legal, job.attempt == transition.attempt)
    if transition.to is JobStatus.RUNNING:
        return and_(legal, job.attempt < job.max_attempts)
    if transition.to is JobStatus.QUEUED:
        legal = and_(legal, job.attempt < MAX_INT32)
    if transition.to is JobStatus.QUEUED and not transition.by_operator:
        # A worker may give back what it runs, but retry only while attempts are left.
        return and_(
            legal, or_(job.status == JobStatus.RUNNING.value, job.attempt < job.max_attempts)
        )
    return legal


def _values(transition: Transition, now: datetime, backoff: Backoff) -> dict[str, Any]:
    moment = moment_of(now)
    values: dict[str, Any] = {
        "status": transition.to.value,
        "event_seq": job.event_seq + 1,
        "updated_at": moment,
    }
    if transition.to is JobStatus.RUNNING:
        return values | {"attempt": job.attempt + 1, "started_at": moment, "finished_at": None}
    if transition.to is JobStatus.QUEUED:
        return values | {
            "started_at": None,
            "finished_at": None,
            "queued_at": moment,
            "scheduled_at": _scheduled_at(transition, moment, backoff),
            # Room for the next start, where this one was not the job's own failure.
            "max_attempts": func.greatest(job.max_attempts, job.attempt + 1),
        }
    # What had ended before keeps the time of its end.
    values["finished_at"] = func.coalesce(job.finished_at, moment)
    if transition.result is not None:
        values["result"] = transition.result
    if transition.error_code is not None or transition.error_message is not None:
        values["last_error_code"] = transition.error_code
        values["last_error_message"] = transition.error_message
    return values


def _scheduled_at(
    transition: Transition, moment: ColumnElement[datetime], backoff: Backoff
) -> ColumnElement[Any]:
    """Say when a retry is due: by the job's policy after a failure, else at once."""
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
    due = moment + cast(func.make_interval(0, 0, 0, 0, 0, 0, delay), Interval())
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

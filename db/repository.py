"""JobRepository, by which programs in Python record their jobs: what the API runs, without HTTP.

`session_scope` and `in_transaction` give it the session that it works in.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.commands import deletion
from db.commands import events as event_commands
from db.commands.changes import change_job
from db.commands.creation import NewJob, create_jobs
from db.commands.transitions import Backoff, Transition
from db.criteria import JobCriteria, TextCriteria
from db.database_errors import CommitUncertainError
from db.error_texts import diagnostic, with_diagnostics
from db.error_texts import error_code as kept_code
from db.errors import (
    IdempotencyConflictError,
    IllegalTransitionError,
    InvalidJobError,
    JobNotFoundError,
    check_batch,
    check_creations,
    check_detail,
    check_limit,
    check_new,
    check_signature,
    check_transition,
)
from db.outcomes import CreatedJob, JobWithEvents
from db.queries import due_jobs, events, jobs
from db.queries.jobs import JobRow
from db.queries.keyset import EVENTS_OF_JOB, JOBS_NEWEST_FIRST, Window
from db.queries.rows import narrow
from db.retries import in_transaction
from db.session_scope import create_worker_engine, dispose, org_id_of, session_scope
from db.statuses import BackoffPolicy, JobStatus
from db.tables import job_event_table, job_table

__all__ = [
    "Backoff",
    "BackoffPolicy",
    "CommitUncertainError",
    "CreatedJob",
    "IdempotencyConflictError",
    "IllegalTransitionError",
    "InvalidJobError",
    "JobNotFoundError",
    "JobRepository",
    "JobStatus",
    "JobWithEvents",
    "NewJob",
    "create_worker_engine",
    "dispose",
    "in_transaction",
    "session_scope",
]

JOB_COLUMNS = job_table.c.keys()
EVENT_COLUMNS = job_event_table.c.keys()


class JobRepository:
    """The jobs of the organisation whose `session_scope` it is given.

    Rows are named tuples of all columns, JSON in them plain values if the engine is one of
    `create_worker_engine`. Times come from this process's clock. `by` goes into the detail of the
    events written, as the API writes who acts; `backoff` is how long a failed job waits.
    """

    def __init__(
        self, session: AsyncSession, *, by: str | None = None, backoff: Backoff | None = None
    ) -> None:
        check_signature(by)
        self._session = session
        # What every query and command takes first.
        self._ledger = session, org_id_of(session)
        self._signature = {} if by is None else {"by": by}
        self._backoff = backoff or Backoff()

    async def create_job(
        self,
        type: str,
        *,
        queue: str = "default",
        idempotency_key: str | None = None,
        requested_by: str | None = None,
        priority: int = 0,
        payload: Any = None,
        max_attempts: int = 5,
        backoff_policy: BackoffPolicy = BackoffPolicy.EXPONENTIAL,
        scheduled_at: datetime | None = None,
    ) -> CreatedJob:
        """Create a queued job, or find the one that the same key and input had made.

        Waits for another transaction that is creating one of the same key. Raises
        IdempotencyConflictError, creating nothing, if the key belongs to a job of other input.
        """
        new = NewJob(
            type=type,
            queue=queue,
            idempotency_key=idempotency_key,
            requested_by=requested_by,
            priority=priority,
            payload=payload,
            max_attempts=max_attempts,
            backoff_policy=backoff_policy,
            scheduled_at=scheduled_at,
        )
        check_new(new)
        (created,) = await self._create([new])
        return created

    async def create_many_jobs(self, new: Sequence[NewJob]) -> list[CreatedJob]:
        """Create up to 1,000 jobs, or none of them; in the order given.

        Raises IdempotencyConflictError, creating nothing, if one's key belongs to other input.
        """
        check_batch(new)
        if not new:
            return []
        async with self._session.begin_nested():
            return await self._create(new)

    async def get_job_by_id(self, job_id: UUID) -> JobRow | None:
        """Get a job."""
        found = await jobs.load_jobs_by_id(*self._ledger, [job_id], JOB_COLUMNS)
        return found[0] if found else None

    async def get_job_with_events(
        self, job_id: UUID, *, limit: int = 1_000
    ) -> JobWithEvents | None:
        """Get a job and its first events, in the order of their `seq`."""
        check_limit(limit)
        job = await self.get_job_by_id(job_id)
        if job is None:
            return None
        window = Window(EVENTS_OF_JOB, limit)
        found = await events.load_events_by_job(*self._ledger, [job_id], window, EVENT_COLUMNS)
        return JobWithEvents(job, sorted(found, key=lambda event: event.seq))

    async def job_exists(self, job_id: UUID) -> bool:
        """Tell whether there is a job of this id."""
        return await jobs.job_exists(*self._ledger, job_id)

    async def get_queued_jobs(self, limit: int, *, type: str | None = None) -> Sequence[JobRow]:
        """Get queued jobs that are due: the most urgent first, of equal priority the oldest.

        Locks nothing: of several who try to start one of them, `update_job_status` lets one.
        """
        check_limit(limit)
        return await due_jobs.list_due_jobs(
            *self._ledger, now=_now(), limit=limit, type_=type, columns=JOB_COLUMNS
        )

    async def get_jobs_by_type_and_status(
        self, type: str, status: JobStatus, *, limit: int = 100, after: JobRow | None = None
    ) -> Sequence[JobRow]:
        """Get jobs, the newest first; the next page comes with `after`, the last row of this."""
        criteria = JobCriteria(type=TextCriteria(eq=type), status=[JobStatus(status)])
        return await self._list(criteria, JOB_COLUMNS, limit, after)

    async def get_job_ids_by_status(self, status: JobStatus, *, limit: int = 1_000) -> list[UUID]:
        """Get the ids of jobs, the newest first."""
        found = await self._list(JobCriteria(status=[JobStatus(status)]), (), limit)
        return [row.id for row in found]

    async def update_job_status(
        self,
        job_id: UUID,
        status: JobStatus,
        *,
        expected: JobStatus | None = None,
        attempt: int | None = None,
        result: Any = None,
        error_code: str | None = None,
        error_message: str | None = None,
        detail: Mapping[str, Any] | None = None,
        by_operator: bool = False,
    ) -> JobRow:
        """Change a job's status and write the event; get the job after it.

        `expected`: only from this status. `attempt`: only while the job is in this attempt, which
        is the `attempt` of the row that its start returned. `by_operator`: a retry goes at once,
        also without attempts left, and of jobs called off or given up, too. Texts of errors are
        taken as they can be kept. Waits for another who is changing the job. Raises
        JobNotFoundError, or IllegalTransitionError with the status it met.
        """
        transition = Transition(
            to=JobStatus(status),
            expected=None if expected is None else JobStatus(expected),
            attempt=attempt,
            result=result,
            error_code=kept_code(error_code),
            error_message=diagnostic(error_message),
            detail=self._signed(detail),
            by_operator=by_operator,
        )
        check_transition(transition)
        backoff = self._backoff.jittered()
        change = await change_job(
            *self._ledger, job_id, transition, now=_now(), backoff=backoff, returning=JOB_COLUMNS
        )
        if change.row is None:
            raise JobNotFoundError(job_id)
        if not change.changed:
            raise IllegalTransitionError(change.row, transition.to)
        return narrow(change.row, JOB_COLUMNS)

    async def log_job_event(self, job_id: UUID, detail: Mapping[str, Any]) -> int:
        """Write an event that leaves the job's status as it is; get its `seq`.

        Locks the job until the end of the transaction. Raises JobNotFoundError.
        """
        signed = self._signed(detail)
        check_detail(signed)
        seq = await event_commands.record_event(*self._ledger, job_id, signed, now=_now())
        if seq is None:
            raise JobNotFoundError(job_id)
        return seq

    async def delete_job(self, job_id: UUID) -> bool:
        """Delete a job, whatever its status, and its events; tell whether there was one."""
        return await deletion.delete_job(*self._ledger, job_id)

    async def _create(self, new: Sequence[NewJob]) -> list[CreatedJob]:
        creations = await create_jobs(
            *self._ledger, new, now=_now(), detail=self._signature, returning=JOB_COLUMNS
        )
        check_creations(creations)
        return [CreatedJob(narrow(each.row, JOB_COLUMNS), each.created) for each in creations]

    async def _list(
        self, criteria: JobCriteria, columns: Sequence[str], limit: int, after: JobRow | None = None
    ) -> Sequence[JobRow]:
        check_limit(limit)
        place = None if after is None else JOBS_NEWEST_FIRST.key(after)
        window = Window(JOBS_NEWEST_FIRST, limit, place)
        return await jobs.list_jobs(*self._ledger, criteria, window, columns)

    def _signed(self, detail: Mapping[str, Any] | None) -> dict[str, Any]:
        return {**with_diagnostics(detail or {}), **self._signature}


def _now() -> datetime:
    return datetime.now(UTC)

"""JobRepository: records jobs from Python with the commands and queries that the API uses.

Its session comes from `session_scope` or `in_transaction`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.backoff import Backoff
from db.commands import deletion
from db.commands import events as event_commands
from db.commands.creation import NewJob, create_jobs
from db.commands.transition_batches import change_jobs
from db.commands.transitions import change_job
from db.criteria import JobCriteria, TextCriteria
from db.error_texts import with_storable_errors
from db.errors import (
    IllegalTransitionError,
    InvalidJobError,
    JobNotFoundError,
    ReadOnlyJobError,
    check_author,
    check_batch,
    check_created,
    check_deletion,
    check_detail,
    check_event,
    check_facts,
    check_limit,
    check_new,
    check_transition,
    check_transitions,
    job_or_error,
)
from db.facts import Fact, Recorded, Source, TooManySourcesError, record_facts
from db.job_defaults import (
    DEFAULT_BACKOFF_POLICY,
    DEFAULT_MAX_ATTEMPTS,
    DEFAULT_PRIORITY,
    DEFAULT_QUEUE,
)
from db.outcomes import CreatedJob, JobNotFound, JobWithEvents, ReadOnlyJob
from db.progress import Progress
from db.queries import due_jobs, events, jobs
from db.queries.jobs import JobRow
from db.queries.keyset import EVENTS_OF_JOB, JOBS_NEWEST_FIRST, Window
from db.queries.rows import narrow
from db.session_scope import org_id_of
from db.status_changes import StatusChange
from db.statuses import BackoffPolicy, JobStatus
from db.tables import job_event_table, job_table

JOB_COLUMNS = job_table.c.keys()
EVENT_COLUMNS = job_event_table.c.keys()


class JobRepository:
    """The jobs of one organisation: that of the session's `session_scope`.

    Rows are named tuples of all columns; with an engine of `create_worker_engine` their JSON is
    decoded. Times come from this process's clock. `by` is stored in the detail of each event as its
    author; `backoff` is the wait of failed jobs before a retry.
    """

    def __init__(
        self, session: AsyncSession, *, by: str | None = None, backoff: Backoff | None = None
    ) -> None:
        check_author(by)
        self._session = session
        # The first two arguments of every query and command.
        self._scope = session, org_id_of(session)
        self._author = {} if by is None else {"by": by}
        self._backoff = backoff or Backoff()

    async def create_job(
        self,
        type: str,
        *,
        queue: str = DEFAULT_QUEUE,
        idempotency_key: str | None = None,
        requested_by: str | None = None,
        priority: int = DEFAULT_PRIORITY,
        payload: Any = None,
        max_attempts: int = DEFAULT_MAX_ATTEMPTS,
        backoff_policy: BackoffPolicy = DEFAULT_BACKOFF_POLICY,
        scheduled_at: datetime | None = None,
        parent_id: UUID | None = None,
        batch: str | None = None,
        tags: Sequence[str] = (),
    ) -> CreatedJob:
        """Create a queued job, or return the one that was created with the same key and input.

        Waits for a concurrent transaction that creates a job with the same key. Raises
        InvalidJobError, JobNotFoundError if there is no parent, and IdempotencyConflictError if the
        key belongs to a job with different input.
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
            parent_id=parent_id,
            batch=batch,
            tags=tags,
        )
        check_new(new)
        (created,) = await self._create([new])
        return created

    async def create_many_jobs(self, new: Sequence[NewJob]) -> list[CreatedJob]:
        """Create up to 1,000 jobs, all or none; the result is in the order given.

        Raises as `create_job` does, for the first of the jobs that cannot be created.
        """
        check_batch(new)
        if not new:
            return []
        async with self._session.begin_nested():
            return await self._create(new)

    async def get_job_by_id(self, job_id: UUID) -> JobRow | None:
        """Get a job; None if it does not exist."""
        rows = await jobs.load_jobs_by_id(*self._scope, [job_id], JOB_COLUMNS)
        return rows[0] if rows else None

    async def get_job_with_events(
        self, job_id: UUID, *, limit: int = 1_000
    ) -> JobWithEvents | None:
        """Get a job and its first `limit` events by `seq`; None if the job does not exist."""
        check_limit(limit)
        job = await self.get_job_by_id(job_id)
        if job is None:
            return None
        window = Window(EVENTS_OF_JOB, limit)
        rows = await events.load_events_by_job(*self._scope, [job_id], window, EVENT_COLUMNS)
        return JobWithEvents(job, sorted(rows, key=lambda event: event.seq))

    async def job_exists(self, job_id: UUID) -> bool:
        """Return whether a job with this id exists."""
        return await jobs.job_exists(*self._scope, job_id)

    async def get_queued_jobs(self, limit: int, *, type: str | None = None) -> Sequence[JobRow]:
        """Get queued jobs that are due, by descending priority, then oldest first.

        Locks nothing: if several workers start the same job, `update_job_status` lets one succeed.
        """
        check_limit(limit)
        return await due_jobs.list_due_jobs(
            *self._scope, now=_now(), limit=limit, type_=type, columns=JOB_COLUMNS
        )

    async def get_jobs_by_type_and_status(
        self, type: str, status: JobStatus, *, limit: int = 100, after: JobRow | None = None
    ) -> Sequence[JobRow]:
        """Get jobs, newest first. `after`: the last row of the previous page."""
        criteria = JobCriteria(type=TextCriteria(eq=type), status=[JobStatus(status)])
        return await self._list(criteria, JOB_COLUMNS, limit, after)

    async def get_job_ids_by_status(self, status: JobStatus, *, limit: int = 1_000) -> list[UUID]:
        """Get the ids of jobs, newest first."""
        rows = await self._list(JobCriteria(status=[JobStatus(status)]), (), limit)
        return [row.id for row in rows]

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
        worker: str | None = None,
    ) -> JobRow:
        """Change a job's status, append the event and return the changed job.

        `expected`: only from this status. `attempt`: only while the job is in this attempt, the
        `attempt` of the row returned by its start. `by_operator`: a retry starts at once, even
        without attempts left, and is also allowed for canceled and dead-lettered jobs. `worker`:
        who starts the job. Error texts that are too long or cannot be stored are shortened or
        cleaned. Waits for concurrent changes of the job. Raises InvalidJobError, JobNotFoundError
        IllegalTransitionError or ReadOnlyJobError.
        """
        values = expected, attempt, result, error_code, error_message, detail, by_operator, worker
        change = StatusChange(job_id, status, *values)
        transition = change.transition(self._author)
        check_transition(transition)
        backoff = self._backoff.jittered()
        outcome = await change_job(
            *self._scope, job_id, transition, now=_now(), backoff=backoff, returning=JOB_COLUMNS
        )
        changed = job_or_error(outcome)
        if isinstance(changed, Exception):
            raise changed
        return changed

    async def update_many_job_statuses(
        self, changes: Sequence[StatusChange]
    ) -> list[JobRow | JobNotFoundError | IllegalTransitionError | ReadOnlyJobError]:
        """Change the statuses of up to 500 jobs, each as `update_job_status` does.

        The result is in the order given: the changed job, or the error of a change that is refused,
        which does not undo the others. Several changes of one job are made in the order given. The
        number of statements does not depend on that of the jobs. Raises InvalidJobError.
        """
        transitions = [each.transition(self._author) for each in changes]
        check_transitions(transitions)
        outcomes = await change_jobs(
            *self._scope,
            [(each.job_id, to) for each, to in zip(changes, transitions, strict=True)],
            now=_now(),
            backoff=self._backoff,
            returning=JOB_COLUMNS,
        )
        return [job_or_error(each) for each in outcomes]

    async def log_job_event(
        self,
        job_id: UUID,
        detail: Mapping[str, Any] | None = None,
        *,
        progress: Progress | None = None,
    ) -> int:
        """Append an event that does not change the job's status, and return its `seq`.

        `progress` becomes that of the job; without a detail, the job's `updated_at` stays. Locks
        the job until the transaction ends. Raises InvalidJobError, JobNotFoundError or
        ReadOnlyJobError.
        """
        checked = with_storable_errors(detail or {})
        check_event(detail, progress)
        check_detail({**checked, **self._author})
        outcome = await event_commands.record_event(
            *self._scope, job_id, checked, now=_now(), author=self._author, progress=progress
        )
        if isinstance(outcome, JobNotFound):
            raise JobNotFoundError(outcome)
        if isinstance(outcome, ReadOnlyJob):
            raise ReadOnlyJobError(outcome)
        return outcome.seq

    async def record_facts(self, source: Source, facts: Sequence[Fact]) -> Recorded:
        """Record up to 1,000 facts: what was observed of jobs of a source.

        Facts may come in any order, late, repeated, and from many processes: a job is what its
        facts add up to. What of a fact cannot be stored is replaced by a note; a fact whose
        `external_id` cannot be is among the faults of the result. Locks the jobs. Raises
        InvalidJobError for an invalid source or too many facts.
        """
        check_facts(source.faults, facts)
        try:
            return await record_facts(*self._scope, source, facts, now=_now())
        except TooManySourcesError as error:
            raise InvalidJobError("source", str(error)) from None

    async def delete_job(self, job_id: UUID) -> bool:
        """Delete a job and its events, whatever its status; return whether it existed."""
        return await deletion.delete_job(*self._scope, job_id)

    async def delete_many_jobs(self, job_ids: Sequence[UUID]) -> list[UUID]:
        """Delete up to 1,000 jobs and their events; return the ids of those that existed, sorted.

        Waits for concurrent changes of these jobs. Raises InvalidJobError for more.
        """
        check_deletion(job_ids)
        return list(await deletion.delete_jobs(*self._scope, job_ids))

    async def _create(self, new: Sequence[NewJob]) -> list[CreatedJob]:
        outcomes = await create_jobs(
            *self._scope, new, now=_now(), detail=self._author, returning=JOB_COLUMNS
        )
        return [
            replace(created, job=narrow(created.job, JOB_COLUMNS))
            for created in check_created(outcomes)
        ]

    async def _list(
        self, criteria: JobCriteria, columns: Sequence[str], limit: int, after: JobRow | None = None
    ) -> Sequence[JobRow]:
        check_limit(limit)
        position = None if after is None else JOBS_NEWEST_FIRST.key(after)
        window = Window(JOBS_NEWEST_FIRST, limit, position)
        return await jobs.list_jobs(*self._scope, criteria, window, columns)


def _now() -> datetime:
    return datetime.now(UTC)

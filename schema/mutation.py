"""The root type `Mutation` and its inputs."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated, Any, TypeVar

import strawberry
from strawberry import UNSET

from db.commands.creation import NewJob
from db.commands.transitions import Transition
from db.job_defaults import (
    DEFAULT_BACKOFF_POLICY,
    DEFAULT_MAX_ATTEMPTS,
    DEFAULT_PRIORITY,
    DEFAULT_QUEUE,
)
from db.statuses import BackoffPolicy, JobStatus
from resolvers import mutations
from resolvers.mutation_results import InvalidInputError
from resolvers.viewer import Role
from schema.filters import JobFilter
from schema.mutation_results import (
    BulkDeletePayload,
    BulkJobPayload,
    CreateJobResult,
    CreateJobsResult,
    RecordJobEventResult,
    TransitionJobResult,
    TransitionJobsResult,
)
from schema.permissions import mutation
from schema.scalars import JSON
from schema.selections import Info, Selections, selected

T = TypeVar("T")

Id = Annotated[strawberry.ID, strawberry.argument(description="The job's UUID.")]
Reason = Annotated[
    str | None,
    strawberry.argument(description="The reason, which is stored in the detail of the event."),
]
Matching = Annotated[JobFilter, strawberry.argument(description="The jobs to change.")]
Limit = Annotated[
    int, strawberry.argument(description="The maximum number of jobs, newest first; 1 to 1,000.")
]


@strawberry.input(description="A job to create. Null is the same as the default.")
class CreateJobInput:
    type: str = strawberry.field(description="The type of the job, such as `email.send`.")
    queue: str | None = strawberry.field(default=DEFAULT_QUEUE, description="The queue of the job.")
    priority: int | None = strawberry.field(
        default=DEFAULT_PRIORITY, description="The priority; jobs with a higher one run first."
    )
    max_attempts: int | None = strawberry.field(
        default=DEFAULT_MAX_ATTEMPTS, description="How many times the job may be started."
    )
    backoff_policy: BackoffPolicy | None = strawberry.field(
        default=DEFAULT_BACKOFF_POLICY,
        description="How the delay before a retry is computed.",
    )
    idempotency_key: str | None = strawberry.field(
        default=UNSET,
        description="A second call with the same key and input creates no other job; one with the "
        "same key and other input is an IdempotencyConflict.",
    )
    requested_by: str | None = strawberry.field(
        default=UNSET, description="The user or system that requests the job."
    )
    payload: JSON | None = strawberry.field(default=UNSET, description="The input of the job.")
    scheduled_at: datetime | None = strawberry.field(
        default=UNSET, description="The earliest time the job may be started; omitted: immediately."
    )

    def job(self) -> NewJob:
        """Convert the input to a NewJob; null means the default."""
        given = {
            name: value
            for name in NewJob.__slots__
            if (value := getattr(self, name)) is not None and value is not UNSET
        }
        return NewJob(**given)


@strawberry.input(description="A change of a job's status, as reported by its worker.")
class TransitionJobInput:
    id: strawberry.ID = strawberry.field(description="The job's UUID.")
    to: JobStatus = strawberry.field(description="The new status.")
    from_: JobStatus | None = strawberry.field(
        name="from", default=UNSET, description="Change the job only if it has this status."
    )
    attempt: int | None = strawberry.field(
        default=UNSET,
        description="Change the job only if its `attempt` is this number, which the transition to "
        "RUNNING returned.",
    )
    error_code: str | None = strawberry.field(
        default=UNSET,
        description="The code of the error that ended the run; truncated if too long.",
    )
    error_message: str | None = strawberry.field(
        default=UNSET,
        description="The message of the error that ended the run; truncated if too long.",
    )
    result: JSON | None = strawberry.field(default=UNSET, description="The output of the run.")
    detail: JSON | None = strawberry.field(
        default=UNSET, description="Details to record in the event: a JSON object."
    )

    def transition(self) -> Transition:
        """Convert the input to a Transition."""
        detail = _optional(self.detail)
        return Transition(
            to=self.to,
            expected=_optional(self.from_),
            attempt=_optional(self.attempt),
            result=_optional(self.result),
            error_code=_optional(self.error_code),
            error_message=_optional(self.error_message),
            detail={} if detail is None else detail,  # type: ignore[arg-type]
        )


@strawberry.input(description="An event that does not change the status of its job.")
class RecordJobEventInput:
    id: strawberry.ID = strawberry.field(description="The job's UUID.")
    detail: JSON = strawberry.field(description="Details to record in the event: a JSON object.")


@strawberry.type(description="Writes. The fields run in order, each in a transaction of its own.")
class Mutation:
    @mutation(Role.WRITER, "Create a job.")
    async def create_job(
        self,
        info: Info,
        input: Annotated[CreateJobInput, strawberry.argument(description="The job to create.")],
    ) -> CreateJobResult:
        columns = selected(info, Selections.written_jobs)
        return await _outcome(mutations.create(info.context, input.job(), columns))

    @mutation(Role.WRITER, "Create up to 1,000 jobs in one transaction: all or none.")
    async def create_jobs(
        self,
        info: Info,
        input: Annotated[
            list[CreateJobInput], strawberry.argument(description="The jobs to create.")
        ],
    ) -> CreateJobsResult:
        columns = selected(info, Selections.written_jobs)
        jobs = [each.job() for each in input]
        return await _outcome(mutations.create_many(info.context, jobs, columns))

    @mutation(Role.WRITER, "Change a job's status.")
    async def transition_job(
        self,
        info: Info,
        input: Annotated[TransitionJobInput, strawberry.argument(description="The change.")],
    ) -> TransitionJobResult:
        columns = selected(info, Selections.written_jobs)
        change = input.transition()
        return await _outcome(mutations.transition(info.context, input.id, change, columns))

    @mutation(
        Role.WRITER,
        "Change the status of up to 500 jobs in one transaction, each as `transitionJob` does. A "
        "change that is refused does not undo the others. Several changes of one job are made in "
        "the order of the input.",
    )
    async def transition_jobs(
        self,
        info: Info,
        input: Annotated[list[TransitionJobInput], strawberry.argument(description="The changes.")],
    ) -> TransitionJobsResult:
        columns = selected(info, Selections.written_jobs)
        changes = [(each.id, each.transition()) for each in input]
        return await _outcome(mutations.transition_many(info.context, changes, columns))

    @mutation(
        Role.WRITER, "Record an event that does not change the job's status, such as progress."
    )
    async def record_job_event(
        self,
        info: Info,
        input: Annotated[RecordJobEventInput, strawberry.argument(description="The event.")],
    ) -> RecordJobEventResult:
        return await _outcome(mutations.record(info.context, input.id, input.detail))

    @mutation(Role.OPERATOR, "Cancel a job.")
    async def cancel_job(
        self,
        info: Info,
        id: Id,
        reason: Reason = None,
    ) -> TransitionJobResult:
        columns = selected(info, Selections.written_jobs)
        change = _by_operator(JobStatus.CANCELED, reason)
        return await _outcome(mutations.transition(info.context, id, change, columns))

    @mutation(
        Role.OPERATOR,
        "Queue a failed, canceled or dead-lettered job again, without a delay. If it has no "
        "attempts left, it gets one more.",
    )
    async def retry_job(
        self,
        info: Info,
        id: Id,
        reason: Reason = None,
    ) -> TransitionJobResult:
        columns = selected(info, Selections.written_jobs)
        change = _by_operator(JobStatus.QUEUED, reason)
        return await _outcome(mutations.transition(info.context, id, change, columns))

    @mutation(Role.OPERATOR, "Cancel the newest jobs that match a filter.")
    async def cancel_jobs(
        self,
        info: Info,
        filter: Matching,
        limit: Limit = 100,
        reason: Reason = None,
    ) -> BulkJobPayload:
        change = _by_operator(JobStatus.CANCELED, reason)
        return await _change_matching(info, filter, limit, change)

    @mutation(Role.OPERATOR, "Queue the newest jobs that match a filter again, as `retryJob` does.")
    async def retry_jobs(
        self,
        info: Info,
        filter: Matching,
        limit: Limit = 100,
        reason: Reason = None,
    ) -> BulkJobPayload:
        change = _by_operator(JobStatus.QUEUED, reason)
        return await _change_matching(info, filter, limit, change)

    @mutation(
        Role.ADMIN,
        "Delete the newest jobs that match a filter, with their events, whatever their status.",
    )
    async def delete_jobs(
        self,
        info: Info,
        filter: Annotated[JobFilter, strawberry.argument(description="The jobs to delete.")],
        limit: Limit = 100,
        dry_run: Annotated[
            bool, strawberry.argument(description="Only count the jobs that match.")
        ] = False,
        reason: Annotated[
            str | None,
            strawberry.argument(description="The reason, which is stored in the audit log alone."),
        ] = None,
    ) -> BulkDeletePayload:
        criteria = filter.criteria(info.context.now, info.context.viewer_redaction)
        return await mutations.delete_matching(  # type: ignore[return-value]
            info.context, criteria, limit, dry_run=dry_run, reason=reason
        )


async def _change_matching(info: Info, filter_: JobFilter, limit: int, change: Transition) -> Any:
    columns = selected(info, Selections.written_jobs)
    criteria = filter_.criteria(info.context.now, info.context.viewer_redaction)
    return await mutations.change_matching(info.context, criteria, limit, change, columns)


async def _outcome(write: Awaitable[Any]) -> Any:
    """Await a write; return an InvalidInput instead of raising it."""
    try:
        return await write
    except InvalidInputError as error:
        return error.outcome


def _by_operator(to: JobStatus, reason: str | None) -> Transition:
    return Transition(to=to, reason=reason, by_operator=True)


def _optional(value: T | None) -> T | None:
    return None if value is UNSET else value

"""The root type `Mutation`. Each field is a transaction of its own."""

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
from resolvers.context import Role
from resolvers.mutation_results import InvalidInputError
from schema.filters import JobFilter
from schema.mutation_results import (
    BulkJobPayload,
    CreateJobResult,
    CreateJobsResult,
    RecordJobEventResult,
    TransitionJobResult,
)
from schema.permissions import mutation
from schema.scalars import JSON
from schema.selections import Info, Selections, selected

T = TypeVar("T")

Id = Annotated[strawberry.ID, strawberry.argument(description="The job's UUID.")]
Reason = Annotated[
    str | None, strawberry.argument(description="Why; it is kept in the event's detail.")
]
Wanted = Annotated[JobFilter, strawberry.argument(description="Which jobs.")]
Limit = Annotated[
    int, strawberry.argument(description="At most so many, the newest first; up to 1,000.")
]


@strawberry.input(description="A job to be created.")
class CreateJobInput:
    type: str = strawberry.field(description="What kind of work it is, such as `email.send`.")
    queue: str | None = strawberry.field(default=DEFAULT_QUEUE, description="The queue it goes to.")
    priority: int | None = strawberry.field(
        default=DEFAULT_PRIORITY, description="How urgent it is: higher goes first."
    )
    max_attempts: int | None = strawberry.field(
        default=DEFAULT_MAX_ATTEMPTS, description="How many times it may be started."
    )
    backoff_policy: BackoffPolicy | None = strawberry.field(
        default=DEFAULT_BACKOFF_POLICY, description="How long it waits for a retry."
    )
    idempotency_key: str | None = strawberry.field(
        default=UNSET, description="A second job of the same key and input is not created."
    )
    requested_by: str | None = strawberry.field(default=UNSET, description="Who asks for it.")
    payload: JSON | None = strawberry.field(default=UNSET, description="What it is to work on.")
    scheduled_at: datetime | None = strawberry.field(
        default=UNSET, description="Not to be started before; left out: at once."
    )

    def job(self) -> NewJob:
        """Turn the input into a NewJob; null stands for the default."""
        given = {
            name: value
            for name in NewJob.__slots__
            if (value := getattr(self, name)) is not None and value is not UNSET
        }
        return NewJob(**given)


@strawberry.input(description="A change of a job's status, as its worker knows it.")
class TransitionJobInput:
    id: strawberry.ID = strawberry.field(description="The job's UUID.")
    to: JobStatus = strawberry.field(description="The status it changes to.")
    from_: JobStatus | None = strawberry.field(
        name="from", default=UNSET, description="Only if it has this status."
    )
    attempt: int | None = strawberry.field(
        default=UNSET,
        description="Only while it is in this attempt: the `attempt` that its start answered.",
    )
    error_code: str | None = strawberry.field(
        default=UNSET,
        description="The code of the error that ended the run. What is too long is shortened.",
    )
    error_message: str | None = strawberry.field(
        default=UNSET,
        description="The error that ended the run, in words. What is too long is shortened.",
    )
    result: JSON | None = strawberry.field(default=UNSET, description="What came of the run.")
    detail: JSON | None = strawberry.field(
        default=UNSET, description="What to note in the event: an object."
    )

    def transition(self) -> Transition:
        """Turn the input into a Transition."""
        detail = _given(self.detail)
        return Transition(
            to=self.to,
            expected=_given(self.from_),
            attempt=_given(self.attempt),
            result=_given(self.result),
            error_code=_given(self.error_code),
            error_message=_given(self.error_message),
            detail={} if detail is None else detail,  # type: ignore[arg-type]
        )


@strawberry.input(description="Something that happened to a job without changing its status.")
class RecordJobEventInput:
    id: strawberry.ID = strawberry.field(description="The job's UUID.")
    detail: JSON = strawberry.field(description="What happened: an object.")


@strawberry.type(
    description="What can be written. Each field is a transaction of its own, one after another."
)
class Mutation:
    @mutation(Role.WRITER, "Create a job.")
    async def create_job(
        self,
        info: Info,
        input: Annotated[CreateJobInput, strawberry.argument(description="The job.")],
    ) -> CreateJobResult:
        columns = selected(info, Selections.written_jobs)
        return await _outcome(mutations.create(info.context, input.job(), columns))

    @mutation(Role.WRITER, "Create up to 1,000 jobs, all or none.")
    async def create_jobs(
        self,
        info: Info,
        input: Annotated[list[CreateJobInput], strawberry.argument(description="The jobs.")],
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

    @mutation(Role.WRITER, "Record an event that leaves the job's status as it is.")
    async def record_job_event(
        self,
        info: Info,
        input: Annotated[RecordJobEventInput, strawberry.argument(description="The event.")],
    ) -> RecordJobEventResult:
        return await _outcome(mutations.record(info.context, input.id, input.detail))

    @mutation(Role.OPERATOR, "Call a job off.")
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
        "Queue a failed, canceled or given-up job again, at once; one without attempts left may be "
        "started once more.",
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

    @mutation(Role.OPERATOR, "Call off the newest jobs that match.")
    async def cancel_jobs(
        self,
        info: Info,
        filter: Wanted,
        limit: Limit = 100,
        reason: Reason = None,
    ) -> BulkJobPayload:
        change = _by_operator(JobStatus.CANCELED, reason)
        return await _change_matching(info, filter, limit, change)

    @mutation(Role.OPERATOR, "Queue the newest jobs that match again.")
    async def retry_jobs(
        self,
        info: Info,
        filter: Wanted,
        limit: Limit = 100,
        reason: Reason = None,
    ) -> BulkJobPayload:
        change = _by_operator(JobStatus.QUEUED, reason)
        return await _change_matching(info, filter, limit, change)


async def _change_matching(info: Info, filter_: JobFilter, limit: int, change: Transition) -> Any:
    columns = selected(info, Selections.written_jobs)
    criteria = filter_.criteria(info.context.now, info.context.hiding)
    return await mutations.change_matching(info.context, criteria, limit, change, columns)


async def _outcome(write: Awaitable[Any]) -> Any:
    """Await a write; an input that it cannot take is data, too."""
    try:
        return await write
    except InvalidInputError as error:
        return error.outcome


def _by_operator(to: JobStatus, reason: str | None) -> Transition:
    return Transition(to=to, reason=reason, by_operator=True)


def _given(value: T | None) -> T | None:
    return None if value is UNSET else value

"""What mutations answer: payloads, and the domain errors that clients get as data.

Their sources are the outcomes of db.outcomes and resolvers.mutation_results.
"""

from typing import Annotated, Any

import strawberry

from db import outcomes
from db.statuses import JobStatus
from resolvers import mutation_results
from resolvers.events import get_event
from schema.connections import Count, LazyJob, LazyJobEvent
from schema.selections import Info, Selections, selected


@strawberry.interface(description="Why a mutation did nothing.")
class UserError:
    message: str = strawberry.field(description="The reason, for people.")


@strawberry.type(description="There is no job of this id.")
class JobNotFound(UserError):
    job_id: strawberry.ID = strawberry.field(description="The id that was asked for.")

    @strawberry.field(
        description="The id that was asked for.",
        deprecation_reason="Caches that go by ids take it for the job itself: use `jobId`.",
    )
    def id(self, parent: strawberry.Parent[outcomes.JobNotFound]) -> strawberry.ID:
        return strawberry.ID(str(parent.job_id))

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        return isinstance(source, outcomes.JobNotFound)


@strawberry.type(description="The job does not allow this change now, or somebody was faster.")
class IllegalTransition(UserError):
    current: JobStatus = strawberry.field(description="The status that the job was met in.")
    requested: JobStatus = strawberry.field(description="The status that was asked for.")
    allowed: list[JobStatus] = strawberry.field(description="The statuses it may change to.")
    job: LazyJob = strawberry.field(description="The job as it was met.")

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        return isinstance(source, outcomes.IllegalTransition)


@strawberry.type(description="The idempotency key belongs to a job of other input.")
class IdempotencyConflict(UserError):
    existing: LazyJob = strawberry.field(description="The job that holds the key.")

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        return isinstance(source, outcomes.IdempotencyConflict)


@strawberry.type(description="A part of the input cannot be taken.")
class InvalidInput(UserError):
    field: str = strawberry.field(description="Which part, as the input names it.")

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        return isinstance(source, mutation_results.InvalidInput)


@strawberry.type(description="A job after its change.")
class JobPayload:
    job: LazyJob = strawberry.field(description="The job.")

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        return isinstance(source, outcomes.ChangedJob)


@strawberry.type(description="A job that was created.")
class CreateJobPayload:
    job: LazyJob = strawberry.field(description="The job.")
    created: bool = strawberry.field(
        description="Whether it was created now; false: an earlier call of its key had made it."
    )

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        return isinstance(source, outcomes.CreatedJob)


@strawberry.type(description="An event that was recorded.")
class JobEventPayload:
    @strawberry.field(description="The event.")
    async def event(
        self, parent: strawberry.Parent[outcomes.RecordedEvent], info: Info
    ) -> LazyJobEvent:
        columns = selected(info, Selections.event)
        return await get_event(info.context, (parent.job_id, parent.seq), columns)  # type: ignore[return-value]

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        return isinstance(source, outcomes.RecordedEvent)


@strawberry.type(description="What a change of many jobs came to.")
class BulkJobPayload:
    jobs: list[LazyJob] = strawberry.field(description="The jobs that were changed, newest first.")
    matched: Count = strawberry.field(description="How many jobs met the filter, up to the limit.")
    changed: int = strawberry.field(description="How many of them were changed.")
    skipped: int = strawberry.field(
        description="How many were passed over: their status does not allow the change, or "
        "somebody else is just changing them."
    )


@strawberry.type(description="A batch of jobs that was created.")
class CreateJobsPayload:
    jobs: list[LazyJob] = strawberry.field(description="The jobs, in the order of the input.")
    created: int = strawberry.field(description="How many were created now.")
    existing: int = strawberry.field(description="How many an earlier call had made.")

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        return isinstance(source, mutation_results.CreatedMany)


CreateJobResult = Annotated[
    CreateJobPayload | IdempotencyConflict | InvalidInput,
    strawberry.union("CreateJobResult", description="What came of creating a job."),
]
CreateJobsResult = Annotated[
    CreateJobsPayload | IdempotencyConflict | InvalidInput,
    strawberry.union("CreateJobsResult", description="What came of creating jobs: all or none."),
]
TransitionJobResult = Annotated[
    JobPayload | JobNotFound | IllegalTransition | InvalidInput,
    strawberry.union("TransitionJobResult", description="What came of changing a job's status."),
]
RecordJobEventResult = Annotated[
    JobEventPayload | JobNotFound | InvalidInput,
    strawberry.union("RecordJobEventResult", description="What came of recording an event."),
]

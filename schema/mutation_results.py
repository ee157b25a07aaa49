"""The results of mutations: payloads, and the domain errors that are returned as data.

Their sources are the classes of db.outcomes and resolvers.mutation_results.
"""

from collections.abc import Sequence
from typing import Annotated, Any

import strawberry

from db import outcomes
from db.statuses import JobStatus
from resolvers import bulk, mutation_results
from resolvers.events import get_events
from resolvers.mutation_results import SkipReason
from schema.connections import Count
from schema.events import JobEvent
from schema.execution.fields import Parents, level
from schema.jobs import Job
from schema.selections import Info, Selections, selected


@strawberry.interface(description="An error that made a mutation change nothing.")
class UserError:
    message: str = strawberry.field(description="The reason, in English; not meant to be parsed.")


@strawberry.type(description="No job has this id.")
class JobNotFound(UserError):
    job_id: strawberry.ID = strawberry.field(description="The id that was requested.")

    @strawberry.field(
        description="The id that was requested.",
        deprecation_reason="Caches that normalize by `id` mistake it for a job. Use `jobId`.",
    )
    def id(self, parent: strawberry.Parent[outcomes.JobNotFound]) -> strawberry.ID:
        return strawberry.ID(str(parent.job_id))

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        return isinstance(source, outcomes.JobNotFound)


@strawberry.type(
    description="The status or the attempts of the job do not allow the change, possibly because "
    "another client changed the job first."
)
class IllegalTransition(UserError):
    current: JobStatus = strawberry.field(description="The status of the job.")
    requested: JobStatus = strawberry.field(description="The status that was requested.")
    allowed: list[JobStatus] = strawberry.field(
        description="The statuses that the job can change to."
    )
    job: Job = strawberry.field(description="The job, unchanged.")

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        return isinstance(source, outcomes.IllegalTransition)


@strawberry.type(description="The job is run by another system, and can be changed only there.")
class ReadOnlyJob(UserError):
    job: Job = strawberry.field(description="The job, unchanged.")

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        return isinstance(source, outcomes.ReadOnlyJob)


@strawberry.type(
    description="The idempotency key belongs to a job that was created from other input."
)
class IdempotencyConflict(UserError):
    existing: Job = strawberry.field(description="The job that has the key.")

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        return isinstance(source, outcomes.IdempotencyConflict)


@strawberry.type(description="A field of the input has an invalid value.")
class InvalidInput(UserError):
    field: str = strawberry.field(
        description="The path of the field in the input, such as `input.0.type`."
    )

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        return isinstance(source, mutation_results.InvalidInput)


@strawberry.type(description="A job whose status or schedule was changed.")
class JobPayload:
    job: Job = strawberry.field(description="The job.")

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        return isinstance(source, outcomes.ChangedJob)


@strawberry.type(description="A job that was created, now or by an earlier call with the same key.")
class CreateJobPayload:
    job: Job = strawberry.field(description="The job.")
    created: bool = strawberry.field(
        description="True: created now. False: created by an earlier call with the same key."
    )

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        return isinstance(source, outcomes.CreatedJob)


@strawberry.type(description="An event that was recorded.")
class JobEventPayload:
    @level("The event.")
    async def event(
        self, parents: Parents[outcomes.RecordedEvent], info: Info
    ) -> Sequence[JobEvent]:
        columns = selected(info, Selections.event)
        ids = [(recorded.job_id, recorded.seq) for recorded in parents]
        return await get_events(info.context, ids, columns)  # type: ignore[return-value]

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        return isinstance(source, outcomes.RecordedEvent)


@strawberry.type(description="Jobs that a bulk mutation skipped for the same reason.")
class SkippedJobs:
    reason: SkipReason = strawberry.field(description="Why they were skipped.")
    status: JobStatus = strawberry.field(description="The status that they had.")
    count: int = strawberry.field(description="The number of jobs.")


@level(
    "In a dry run, up to five of the jobs that would be changed or deleted, newest first; "
    "otherwise empty."
)
async def _samples(
    self: Any,  # noqa: ARG001
    parents: Parents[mutation_results.BulkOutcome],
    info: Info,
) -> Sequence[list[Job]]:
    return await bulk.list_samples(info.context, parents, selected(info, Selections.job))


@strawberry.type(description="The result of changing many jobs.")
class BulkJobPayload:
    jobs: list[Job] = strawberry.field(
        description="The jobs that were changed, newest first; none in a dry run."
    )
    matched: Count = strawberry.field(
        description="The number of jobs that match the filter, counted up to `limit`."
    )
    changed: int = strawberry.field(
        description="The number of jobs that were changed; 0 in a dry run."
    )
    skipped: int = strawberry.field(
        description="The number of jobs that were not changed, or in a dry run would not be, "
        "because their status does not allow it, because they are of a source, because they "
        "changed after `asOf`, or because they were locked by another transaction."
    )
    skips: list[SkippedJobs] = strawberry.field(
        description="The skipped jobs by reason and status."
    )
    samples = _samples


@strawberry.type(description="The result of deleting many jobs.")
class BulkDeletePayload:
    matched: Count = strawberry.field(
        description="The number of jobs that match the filter, counted up to `limit`; in a dry "
        "run, up to 10,000."
    )
    deleted: int = strawberry.field(
        description="The number of jobs that were deleted: not those locked by another "
        "transaction, and in a dry run none."
    )
    skipped: int = strawberry.field(
        description="The number of the newest jobs, up to `limit`, that were not deleted, or in a "
        "dry run would not be, because they are of a source, changed after `asOf` or were locked "
        "by another transaction."
    )
    skips: list[SkippedJobs] = strawberry.field(
        description="The skipped jobs by reason and status."
    )
    samples = _samples


@strawberry.type(
    description="A batch of jobs that were created, now or by earlier calls with the same keys."
)
class CreateJobsPayload:
    jobs: list[Job] = strawberry.field(description="The jobs, in the order of the input.")
    created: int = strawberry.field(description="The number of jobs created now.")
    existing: int = strawberry.field(
        description="The number of jobs that earlier calls had created."
    )

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        return isinstance(source, mutation_results.CreatedMany)


TransitionJobResult = Annotated[
    JobPayload | JobNotFound | IllegalTransition | InvalidInput | ReadOnlyJob,
    strawberry.union(
        "TransitionJobResult", description="The result of changing a job's status or schedule."
    ),
]


@strawberry.type(description="The results of a batch of changes.")
class TransitionJobsPayload:
    results: list[TransitionJobResult] = strawberry.field(
        description="The result of each change, in the order of the input."
    )
    changed: int = strawberry.field(description="The number of changes that were made.")
    refused: int = strawberry.field(description="The number of changes that were not made.")

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        return isinstance(source, mutation_results.TransitionedMany)


CreateJobResult = Annotated[
    CreateJobPayload | IdempotencyConflict | InvalidInput | JobNotFound,
    strawberry.union(
        "CreateJobResult",
        description="The result of `createJob` or `rerunJob`. JobNotFound names the parent, or the "
        "job to copy; only `createJob` returns IdempotencyConflict.",
    ),
]
CreateJobsResult = Annotated[
    CreateJobsPayload | IdempotencyConflict | InvalidInput | JobNotFound,
    strawberry.union(
        "CreateJobsResult",
        description="The result of `createJobs`. JobNotFound names a parent.",
    ),
]
TransitionJobsResult = Annotated[
    TransitionJobsPayload | InvalidInput,
    strawberry.union("TransitionJobsResult", description="The result of `transitionJobs`."),
]
RecordJobEventResult = Annotated[
    JobEventPayload | JobNotFound | InvalidInput | ReadOnlyJob,
    strawberry.union("RecordJobEventResult", description="The result of `recordJobEvent`."),
]


@strawberry.type(description="Why a fact could not be recorded.")
class FactFault:
    index: int = strawberry.field(description="The index of the fact in `facts`.")
    field: str | None = strawberry.field(description="The field of the fact; null if it is none.")
    message: str = strawberry.field(description="The reason, in English; not meant to be parsed.")


@strawberry.type(description="The result of `recordFacts`.")
class RecordFactsPayload:
    recorded: int = strawberry.field(description="The number of facts that reported something new.")
    known: int = strawberry.field(description="The number of facts that were known already.")
    faults: list[FactFault] = strawberry.field(
        description="The facts that could not be recorded: it is not known which job they are of."
    )

"""The root type `Mutation`."""

from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from db.commands.reruns import Changes
from db.commands.rescheduling import Reschedule
from db.commands.transitions import Transition
from db.statuses import JobStatus
from resolvers import bulk, mutations, sources
from resolvers.bulk import Bulk
from resolvers.mutation_results import InvalidInputError
from resolvers.viewer import Role
from schema.filters import JobFilter
from schema.mutation_inputs import (
    CreateJobInput,
    FactInput,
    RecordJobEventInput,
    SourceInput,
    TransitionJobInput,
    optional,
)
from schema.mutation_results import (
    BulkDeletePayload,
    BulkJobPayload,
    CreateJobResult,
    CreateJobsResult,
    RecordFactsPayload,
    RecordJobEventResult,
    TransitionJobResult,
    TransitionJobsResult,
)
from schema.permissions import mutation
from schema.scalars import JSON
from schema.selections import Info, Selections, selected

Id = Annotated[strawberry.ID, strawberry.argument(description="The job's UUID.")]
Reason = Annotated[
    str | None,
    strawberry.argument(description="The reason, which is stored in the detail of the event."),
]
Matching = Annotated[JobFilter, strawberry.argument(description="The jobs to change.")]
Limit = Annotated[
    int, strawberry.argument(description="The maximum number of jobs, newest first; 1 to 1,000.")
]
DryRun = Annotated[
    bool, strawberry.argument(description="Change nothing; return what would be changed.")
]
AsOf = Annotated[
    datetime | None,
    strawberry.argument(
        description="Skip the jobs that changed after this time, such as that at which the viewer "
        "saw them; omitted: whatever changed."
    ),
]


@strawberry.type(description="Writes. The fields run in order, each in a transaction of its own.")
class Mutation:
    @mutation(Role.WRITER, "Create a job.")
    async def create_job(
        self,
        info: Info,
        input: Annotated[CreateJobInput, strawberry.argument(description="The job to create.")],
    ) -> CreateJobResult:
        return await _outcome(_create(info, input))

    @mutation(Role.WRITER, "Create up to 1,000 jobs in one transaction: all or none.")
    async def create_jobs(
        self,
        info: Info,
        input: Annotated[
            list[CreateJobInput], strawberry.argument(description="The jobs to create.")
        ],
    ) -> CreateJobsResult:
        return await _outcome(_create_many(info, input))

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
        columns = selected(info, Selections.written_jobs)
        told = optional(input.detail), input.as_progress(), columns
        return await _outcome(mutations.record(info.context, input.id, *told))

    @mutation(
        Role.WRITER,
        "Record what was observed of jobs that another system runs: up to 1,000 facts, in any "
        "order, late, or repeated. A fact creates its job if need be; the job is what its facts, "
        "in their order, add up to. What of a fact cannot be stored is replaced by a note. A "
        "faulty fact does not keep the others from being recorded.",
    )
    async def record_facts(
        self,
        info: Info,
        source: Annotated[
            SourceInput, strawberry.argument(description="The system; a new one is added.")
        ],
        facts: Annotated[list[FactInput], strawberry.argument(description="The facts.")],
    ) -> RecordFactsPayload:
        given = [fact.fact() for fact in facts]
        return await sources.record(info.context, source.source(), given)  # type: ignore[return-value]

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

    @mutation(
        Role.OPERATOR,
        "Create a queued job with the type, queue, priority, attempts, backoff, requester, "
        "payload, parent, batch and tags of another one, whatever its status. The payload is "
        "copied as it is stored, even if a part of it is redacted for you. The copy has no "
        "idempotency key, and is due at once. The detail of its first event names the other job, "
        "under `rerun_of`.",
    )
    async def rerun_job(
        self,
        info: Info,
        id: Id,
        payload: Annotated[
            JSON | None,
            strawberry.argument(
                description="Replaces the whole payload, and is stored as given: what was redacted "
                "in the old one must be given again. Null: as it is."
            ),
        ] = None,
        queue: Annotated[
            str | None, strawberry.argument(description="Another queue; null: the same.")
        ] = None,
        priority: Annotated[
            int | None, strawberry.argument(description="Another priority; null: the same.")
        ] = None,
        reason: Reason = None,
    ) -> CreateJobResult:
        columns = selected(info, Selections.written_jobs)
        changes = Changes(payload, queue, priority)
        return await _outcome(mutations.rerun(info.context, id, changes, reason, columns))

    @mutation(
        Role.OPERATOR,
        "Change when a queued job is due, and its priority. The detail of the event has both, "
        "before and after, under `rescheduled`. A job that is not QUEUED is an IllegalTransition.",
    )
    async def reschedule_job(
        self,
        info: Info,
        id: Id,
        at: Annotated[
            datetime | None,
            strawberry.argument(
                description="The earliest time the job may be started; null: now. Omitted: as it "
                "is if `priority` is given, otherwise now."
            ),
        ] = UNSET,
        priority: Annotated[
            int | None, strawberry.argument(description="The priority; null: as it is.")
        ] = None,
        reason: Reason = None,
    ) -> TransitionJobResult:
        columns = selected(info, Selections.written_jobs)
        keeps_time = at is UNSET and priority is not None
        wanted = Reschedule(optional(at), priority, keeps_time)
        return await _outcome(mutations.reschedule(info.context, id, wanted, reason, columns))

    @mutation(Role.OPERATOR, "Cancel the newest jobs that match a filter.")
    async def cancel_jobs(
        self,
        info: Info,
        filter: Matching,
        limit: Limit = 100,
        reason: Reason = None,
        dry_run: DryRun = False,
        as_of: AsOf = None,
    ) -> BulkJobPayload:
        change = _by_operator(JobStatus.CANCELED, reason)
        return await _change_matching(info, filter, Bulk(limit, as_of, dry_run), change)

    @mutation(Role.OPERATOR, "Queue the newest jobs that match a filter again, as `retryJob` does.")
    async def retry_jobs(
        self,
        info: Info,
        filter: Matching,
        limit: Limit = 100,
        reason: Reason = None,
        dry_run: DryRun = False,
        as_of: AsOf = None,
    ) -> BulkJobPayload:
        change = _by_operator(JobStatus.QUEUED, reason)
        return await _change_matching(info, filter, Bulk(limit, as_of, dry_run), change)

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
        as_of: AsOf = None,
    ) -> BulkDeletePayload:
        criteria = filter.criteria(info.context.now, info.context.viewer_redaction)
        which = Bulk(limit, as_of, dry_run)
        return await bulk.delete_matching(info.context, criteria, which, reason)  # type: ignore[return-value]


async def _create(info: Info, input_: CreateJobInput) -> Any:
    columns = selected(info, Selections.written_jobs)
    return await mutations.create(info.context, input_.job(), columns)


async def _create_many(info: Info, inputs: Sequence[CreateJobInput]) -> Any:
    columns = selected(info, Selections.written_jobs)
    jobs = [each.job(f"input.{number}.") for number, each in enumerate(inputs)]
    return await mutations.create_many(info.context, jobs, columns)


async def _change_matching(info: Info, filter_: JobFilter, which: Bulk, change: Transition) -> Any:
    columns = selected(info, Selections.written_jobs)
    criteria = filter_.criteria(info.context.now, info.context.viewer_redaction)
    return await bulk.change_matching(info.context, criteria, which, change, columns)


async def _outcome(write: Awaitable[Any]) -> Any:
    """Await a write; return an InvalidInput instead of raising it."""
    try:
        return await write
    except InvalidInputError as error:
        return error.outcome


def _by_operator(to: JobStatus, reason: str | None) -> Transition:
    return Transition(to=to, reason=reason, by_operator=True)

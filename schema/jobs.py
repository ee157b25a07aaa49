"""The type `Job`, whose source is a row of `job`, and the job connection."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry
from orjson import loads

from db.health import JUDGED_COLUMNS
from db.queries import error_groups as queries
from db.queries.jobs import JobRow
from db.queries.relations import Relation
from db.statuses import TERMINAL_STATUSES, BackoffPolicy, JobStatus
from db.tallies.errors import MAX_GROUPS
from resolvers import (
    durations,
    error_groups,
    events,
    health,
    jobs,
    moments,
    relations,
    sources,
    waiting,
)
from resolvers.paging import LIST_SIZE, ConnectionSource, PageArguments, count_lists
from schema import connections
from schema.batches import Batch
from schema.connections import After, AtMost, Before, Count, First, Last, PageInfo
from schema.error_groups import ErrorGroup
from schema.events import JobEvent, JobEventConnection
from schema.execution.fields import Parents, leaf, level
from schema.job_parts import JobAttempt, JobHealth, JobMoment, JobProgress
from schema.listings import OptionalJobFilter, OptionalJobOrder, related_jobs
from schema.nodes import Node
from schema.redacted_fields import secret_json, secret_text
from schema.scalars import JSON
from schema.selections import Info, Selections, selected, written_events
from schema.sources import Source
from schema.waiting import JobWaiting


@strawberry.type(description="A background job.")
class Job(Node):
    @leaf("The job's UUID.", {"id"})  # type: ignore[misc]
    def id(self, parent: strawberry.Parent[JobRow]) -> strawberry.ID:
        return strawberry.ID(str(parent.id))

    type: str = strawberry.field(description="The type of the job, such as `email.send`.")
    queue: str = strawberry.field(description="The queue of the job.")
    status: JobStatus = strawberry.field(description="The current status.")

    @leaf("Whether the status is SUCCEEDED, FAILED, CANCELED or DEAD_LETTER.", {"status"})
    def is_terminal(self, parent: strawberry.Parent[JobRow]) -> bool:
        return parent.status in TERMINAL_STATUSES

    @leaf(
        "The statuses that `transitionJob`, `cancelJob` or `retryJob` can change the job to now, "
        "given your roles and the job's attempts.",
        jobs.ALLOWED_COLUMNS,
    )
    def allowed_transitions(self, parent: strawberry.Parent[JobRow], info: Info) -> list[JobStatus]:
        return jobs.allowed_transitions(info.context, parent)

    priority: int = strawberry.field(description="The priority; jobs with a higher one run first.")
    attempt: int = strawberry.field(
        description="How many times the job was started; 0 before the first run."
    )
    max_attempts: int = strawberry.field(description="How many times the job may be started.")
    backoff_policy: BackoffPolicy = strawberry.field(
        description="How the delay before a retry is computed."
    )
    idempotency_key: str | None = strawberry.field(
        description="The key that prevents the job from being created twice; null if it has none."
    )
    requested_by: str | None = strawberry.field(
        description="The user or system that requested the job; null if not recorded."
    )
    payload: JSON | None = secret_json("payload", "The input of the job; null if it has none.")
    result: JSON | None = secret_json(
        "result", "The output of the job; null until a run reports one."
    )
    last_error_code: str | None = strawberry.field(
        description="The code of the last error; null if none was recorded."
    )
    last_error_message: str | None = secret_text(
        "last_error_message", "The message of the last error; null if none was recorded."
    )
    created_at: datetime = strawberry.field(description="When the job was created.")
    updated_at: datetime = strawberry.field(
        description="When the job last changed. An event with nothing but progress is no change."
    )
    queued_at: datetime = strawberry.field(
        description="When the job was last queued: created, returned to the queue by its worker or "
        "retried."
    )
    scheduled_at: datetime | None = strawberry.field(
        description="The earliest time the job may be started; null: immediately."
    )
    started_at: datetime | None = strawberry.field(
        description="When the last run started; null if it has not started since it was queued, or "
        "if that is not known. Of a SUCCEEDED job of which it is not known, `finishedAt`."
    )
    finished_at: datetime | None = strawberry.field(
        description="When the job reached a terminal status; null if its status is not terminal."
    )

    worker: str | None = strawberry.field(
        description="The name of the worker that runs the job, or ran it last; null if its last "
        "start did not name one."
    )

    @leaf(
        "The wait in seconds: from `queuedAt` or `scheduledAt`, whichever is later, to "
        "`startedAt`, or to now while the job is queued. Null if the job ended without a start, or "
        "if it is not known when the wait began and ended.",
        durations.WAIT_COLUMNS,
    )
    def wait_seconds(self, parent: strawberry.Parent[JobRow], info: Info) -> float | None:
        return durations.wait_seconds(parent, info.context.now)

    @leaf(
        "The duration of the last run in seconds: from `startedAt` to `finishedAt`, or to now "
        "while the job is running. Null if it is not known when it started.",
        durations.RUN_COLUMNS,
    )
    def run_seconds(self, parent: strawberry.Parent[JobRow], info: Info) -> float | None:
        return durations.run_seconds(parent, info.context.now)

    @level("The events of the job, oldest first.")
    async def events(
        self,
        parents: Parents[JobRow],
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Sequence[JobEventConnection]:
        needs, columns = selected(info, Selections.event_page)
        arguments = PageArguments(first, after, last, before)
        return await events.list_events_of_jobs(  # type: ignore[return-value]
            info.context, _ids(parents), arguments, needs, columns, written_events(info)
        )

    @level("The newest event of the job; null if it has none.")
    async def latest_event(self, parents: Parents[JobRow], info: Info) -> Sequence[JobEvent | None]:
        columns = selected(info, Selections.event)
        return await events.get_latest_events(info.context, _ids(parents), columns)

    @level("The newest runs of the job, oldest first.")
    async def attempts(
        self,
        parents: Parents[JobRow],
        info: Info,
        last: Annotated[
            int | None, strawberry.argument(description="The maximum number of runs.")
        ] = LIST_SIZE,
    ) -> Sequence[list[JobAttempt]]:
        details = selected(info, Selections.attempt_details)
        return await events.list_attempts(info.context, _ids(parents), last, details)  # type: ignore[return-value]

    @level(
        "What the job was at a time, by the changes of its status up to then; null if it did not "
        "exist. A time in the future is now."
    )
    async def at(
        self,
        parents: Parents[JobRow],
        info: Info,
        time: Annotated[datetime, strawberry.argument(description="The time.")],
    ) -> Sequence[JobMoment | None]:
        return await moments.get_moments(info.context, _ids(parents), time)

    @level("How the job does, beside what is usual for its type.", JUDGED_COLUMNS)
    async def health(self, parents: Parents[JobRow], info: Info) -> Sequence[JobHealth]:
        return await health.judge_jobs(info.context, parents)  # type: ignore[return-value]

    @level(
        "The group of its last error; null if it has none, if error messages are hidden from the "
        f"viewer, or if the organisation had {MAX_GROUPS} other groups before.",
        {"error_group"},
    )
    async def error_group(
        self, parents: Parents[JobRow], info: Info
    ) -> Sequence[ErrorGroup | None]:
        ids = [job.error_group for job in parents]
        return await error_groups.get_error_groups(info.context, ids)  # type: ignore[return-value]

    @level(
        "The progress that was reported last; null if the last run has reported none.",
        {"progress_fraction", "progress_step", "progress_at"},
    )
    async def progress(self, parents: Parents[JobRow]) -> Sequence[JobProgress | None]:
        return [None if job.progress_at is None else job for job in parents]

    @level("Why the job waits; null unless it is QUEUED.", waiting.WAITING_COLUMNS)
    async def waiting(self, parents: Parents[JobRow], info: Info) -> Sequence[JobWaiting | None]:
        return waiting.waiting_of(info.context, parents)  # type: ignore[return-value]

    @level(
        "The job that this one is a child of; null if there is none, or if it was deleted.",
        {"parent_id"},
    )
    async def parent(
        self, parents: Parents[JobRow], info: Info
    ) -> Sequence[Annotated["Job", strawberry.lazy(".jobs")] | None]:
        columns = selected(info, Selections.job)
        return await relations.get_parents(info.context, parents, columns)

    @level("The jobs whose parent is this one, by default the newest first.")
    async def children(
        self,
        parents: Parents[JobRow],
        info: Info,
        filter: OptionalJobFilter = None,
        order_by: OptionalJobOrder = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Sequence[Annotated["JobConnection", strawberry.lazy(".jobs")]]:
        page = PageArguments(first, after, last, before)
        return await related_jobs(info, Relation.PARENT, _ids(parents), filter, order_by, page)

    @level("The batch that the job belongs to; null if there is none.", {"batch"})
    async def batch(self, parents: Parents[JobRow]) -> Sequence[Batch | None]:
        return relations.batches_of(parents)  # type: ignore[return-value]

    external_id: str | None = strawberry.field(
        description="What the source calls the job; null if it has no source."
    )

    @level("The system that runs the job; null if it is run by its records here.", {"source_id"})
    async def source(self, parents: Parents[JobRow], info: Info) -> Sequence[Source | None]:
        ids = [job.source_id for job in parents]
        return await sources.get_sources(info.context, ids)

    @leaf("The tags of the job, in alphabetical order.", {"tags"})
    def tags(self, parent: strawberry.Parent[JobRow]) -> list[str]:
        return loads(parent.tags) if parent.tags else []

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        """Return whether a source is a row of a job, and of nothing else that is a node."""
        # Only rows of events have a `seq`, and only rows of sources a `backlog_bytes`.
        is_other_row = hasattr(source, "seq") or hasattr(source, "backlog_bytes")
        return not is_other_row and not isinstance(source, queries.ErrorGroup | relations.Batch)


def _ids(jobs_: Parents[JobRow]) -> list[UUID]:
    return [job.id for job in jobs_]


@strawberry.type(description="A job of a page and its cursor.")
class JobEdge:
    node: Job = strawberry.field(description="The job.")
    cursor: str = strawberry.field(description="The cursor, for `after` and `before`.")


@strawberry.type(description="A page of a list of jobs.")
class JobConnection:
    @strawberry.field(description="The jobs of the page with their cursors.")
    def edges(self, parent: strawberry.Parent[ConnectionSource]) -> list[JobEdge]:
        return connections.edges(parent)  # type: ignore[return-value]

    @strawberry.field(description="The jobs of the page.")
    def nodes(self, parent: strawberry.Parent[ConnectionSource]) -> list[Job]:
        return parent.rows  # type: ignore[return-value]

    @strawberry.field(description="The position of the page in the list.")
    def page_info(self, parent: strawberry.Parent[ConnectionSource]) -> PageInfo:
        return parent  # type: ignore[return-value]

    @level("The number of jobs in the whole list.")
    async def count(
        self, parents: Parents[ConnectionSource], at_most: AtMost = None
    ) -> Sequence[Count]:
        return await count_lists(parents, at_most)  # type: ignore[return-value]

"""The types `Job` and `JobAttempt`. A job's source is a row of `job`."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from db.queries.jobs import JobRow
from db.statuses import BackoffPolicy, JobStatus
from resolvers import durations, events, jobs
from resolvers.attempts import Attempt
from resolvers.paging import LIST_SIZE, PageArguments
from schema.connections import After, Before, First, JobEventConnection, Last, LazyJobEvent
from schema.nodes import Node
from schema.redacted_fields import secret_json, secret_text, secret_words
from schema.scalars import JSON
from schema.selections import Info, Selections, selected


@strawberry.type(description="One run of a job, rebuilt from its events.")
class JobAttempt:
    number: int = strawberry.field(description="1 for the first run.")
    started_at: datetime = strawberry.field(description="When it started.")
    finished_at: datetime | None = strawberry.field(
        description="When it ended; null while it runs."
    )
    outcome: JobStatus | None = strawberry.field(
        description="The status it ended in, QUEUED if it was given back; null while it runs."
    )

    @strawberry.field(description="How long it ran, or has run so far, in seconds.")
    def run_seconds(self, parent: strawberry.Parent[Attempt], info: Info) -> float | None:
        return parent.run_seconds(info.context.now)

    error_code: str | None = secret_words("error_code", "The code of the error that ended it.")
    error_message: str | None = secret_words("error_message", "The error that ended it, in words.")


@strawberry.type(description="A background job.")
class Job(Node):
    @strawberry.field(description="The job's UUID.")  # type: ignore[misc]
    def id(self, parent: strawberry.Parent[JobRow]) -> strawberry.ID:
        return strawberry.ID(str(parent.id))

    type: str = strawberry.field(description="What kind of work it is, such as `email.send`.")
    queue: str = strawberry.field(description="The queue it is in.")
    status: JobStatus = strawberry.field(description="Where it stands.")

    @strawberry.field(
        description="Whether its last run has ended: SUCCEEDED, FAILED, CANCELED or DEAD_LETTER."
    )
    def is_terminal(self, parent: strawberry.Parent[JobRow]) -> bool:
        return JobStatus(parent.status).is_terminal

    @strawberry.field(
        description="The statuses that `transitionJob`, `cancelJob` or `retryJob` may change it to "
        "now, by your roles and its attempts."
    )
    def allowed_transitions(self, parent: strawberry.Parent[JobRow], info: Info) -> list[JobStatus]:
        return jobs.allowed_transitions(info.context, parent)

    priority: int = strawberry.field(description="How urgent it is: higher goes first.")
    attempt: int = strawberry.field(description="How many times it was started.")
    max_attempts: int = strawberry.field(description="How many times it may be started.")
    backoff_policy: BackoffPolicy = strawberry.field(description="How long it waits for a retry.")
    idempotency_key: str | None = strawberry.field(
        description="The key that keeps the same job from being created twice."
    )
    requested_by: str | None = strawberry.field(description="Who or what asked for it.")
    payload: JSON | None = secret_json("payload", "What it was given to work on.")
    result: JSON | None = secret_json("result", "What came of it.")
    last_error_code: str | None = strawberry.field(description="The code of its last error.")
    last_error_message: str | None = secret_text("last_error_message", "Its last error, in words.")
    created_at: datetime = strawberry.field(description="When it was created.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    queued_at: datetime = strawberry.field(
        description="When it was queued last: created, given back or retried."
    )
    scheduled_at: datetime | None = strawberry.field(
        description="Not to be started before; null: at once."
    )
    started_at: datetime | None = strawberry.field(description="When its last run started.")
    finished_at: datetime | None = strawberry.field(
        description="When its last run ended; set exactly when the status is terminal."
    )

    @strawberry.field(
        description="Seconds from when it was due (`queuedAt` or `scheduledAt`, the later) to its "
        "start; until now while it is queued; null if it ended without a start."
    )
    def wait_seconds(self, parent: strawberry.Parent[JobRow], info: Info) -> float | None:
        return durations.wait_seconds(parent, info.context.now)

    @strawberry.field(
        description="Seconds from its start to its end; until now while it runs; null before."
    )
    def run_seconds(self, parent: strawberry.Parent[JobRow], info: Info) -> float | None:
        return durations.run_seconds(parent, info.context.now)

    @strawberry.field(description="What happened to it, oldest first.")
    async def events(
        self,
        parent: strawberry.Parent[JobRow],
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> JobEventConnection:
        needs, columns = selected(info, Selections.event_page)
        arguments = PageArguments(first, after, last, before)
        return await events.list_events_of_job(  # type: ignore[return-value]
            info.context, parent.id, arguments, needs, columns
        )

    @strawberry.field(description="The last thing that happened to it.")
    async def latest_event(
        self, parent: strawberry.Parent[JobRow], info: Info
    ) -> LazyJobEvent | None:
        columns = selected(info, Selections.event)
        return await events.get_latest_event(info.context, parent.id, columns)

    @strawberry.field(description="Its newest runs, rebuilt from its events, oldest first.")
    async def attempts(
        self,
        parent: strawberry.Parent[JobRow],
        info: Info,
        last: Annotated[
            int | None, strawberry.argument(description="How many at most.")
        ] = LIST_SIZE,
    ) -> list[JobAttempt]:
        errors = selected(info, Selections.attempt_errors)
        return await events.list_attempts(info.context, parent.id, last, errors)  # type: ignore[return-value]

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        """Tell jobs from other nodes: events have a `seq`, jobs have not."""
        return not hasattr(source, "seq")

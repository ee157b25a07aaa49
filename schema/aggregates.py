"""The types of the aggregates: status counts, groups, the timeline."""

from datetime import datetime
from typing import Any

import strawberry

from db.queries.aggregates import JobDimension
from db.statuses import JobStatus
from resolvers import aggregates
from schema.connections import Count

Key = strawberry.Parent[dict[JobDimension, Any]]
Bucket = strawberry.Parent[aggregates.TimeBucket]


@strawberry.type(description="How many jobs have a status.")
class StatusCount:
    status: JobStatus = strawberry.field(description="The status.")
    count: Count = strawberry.field(description="How many jobs have it.")


@strawberry.type(description="What a group's jobs share. What they were not grouped by is null.")
class JobGroupKey:
    @strawberry.field(description="Where they stand.")
    def status(self, parent: Key) -> JobStatus | None:
        return parent.get(JobDimension.STATUS)

    @strawberry.field(description="What kind of work they are.")
    def type(self, parent: Key) -> str | None:
        return parent.get(JobDimension.TYPE)

    @strawberry.field(description="Their queue.")
    def queue(self, parent: Key) -> str | None:
        return parent.get(JobDimension.QUEUE)

    @strawberry.field(description="Who asked for them; null also for those that nobody did.")
    def requested_by(self, parent: Key) -> str | None:
        return parent.get(JobDimension.REQUESTED_BY)

    @strawberry.field(description="The code of their last error; null also for those without.")
    def last_error_code(self, parent: Key) -> str | None:
        return parent.get(JobDimension.LAST_ERROR_CODE)

    @strawberry.field(description="How urgent they are.")
    def priority(self, parent: Key) -> int | None:
        return parent.get(JobDimension.PRIORITY)


@strawberry.type(
    description="The distribution of durations in seconds, interpolated between jobs. All but the "
    "count are null where there are none."
)
class DurationStats:
    count: int = strawberry.field(description="How many jobs have such a duration.")
    avg: float | None = strawberry.field(description="The mean.")
    min: float | None = strawberry.field(description="The shortest.")
    max: float | None = strawberry.field(description="The longest.")
    p50: float | None = strawberry.field(description="Half are no longer than this.")
    p95: float | None = strawberry.field(description="95 of 100 are no longer than this.")
    p99: float | None = strawberry.field(description="99 of 100 are no longer than this.")


@strawberry.type(description="The jobs that share a key.")
class JobGroup:
    key: JobGroupKey = strawberry.field(description="What they share.")
    count: int = strawberry.field(description="How many they are.")
    status_counts: list[StatusCount] = strawberry.field(
        description="How many of them have each status; every status is present."
    )
    oldest_created_at: datetime = strawberry.field(description="When the first was created.")
    newest_created_at: datetime = strawberry.field(description="When the last was created.")
    wait: DurationStats = strawberry.field(description="How long they waited: `Job.waitSeconds`.")
    run: DurationStats = strawberry.field(description="How long they ran: `Job.runSeconds`.")


@strawberry.type(
    description="What jobs did in a stretch of time. Each count is one of changes of status: a job "
    "that was started twice counts twice."
)
class TimeBucket:
    start: datetime = strawberry.field(description="When it begins; it ends as the next begins.")
    created: int = strawberry.field(description="Jobs created.")

    @strawberry.field(description="Runs started.")
    def started(self, parent: Bucket) -> int:
        return parent.steps.get(JobStatus.RUNNING, 0)

    @strawberry.field(description="Jobs that ended well.")
    def succeeded(self, parent: Bucket) -> int:
        return parent.steps.get(JobStatus.SUCCEEDED, 0)

    @strawberry.field(description="Runs that failed.")
    def failed(self, parent: Bucket) -> int:
        return parent.steps.get(JobStatus.FAILED, 0)

    @strawberry.field(description="Jobs called off.")
    def canceled(self, parent: Bucket) -> int:
        return parent.steps.get(JobStatus.CANCELED, 0)

    @strawberry.field(description="Jobs given up.")
    def dead_lettered(self, parent: Bucket) -> int:
        return parent.steps.get(JobStatus.DEAD_LETTER, 0)

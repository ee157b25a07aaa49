"""The GraphQL types of aggregates: status counts, job groups and the timeline."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry

from db.health import HealthVerdict
from db.queries.dimensions import JobDimension
from db.queries.values import MOST_JOBS
from db.statuses import JobStatus
from resolvers import error_groups, sources, timelines
from schema.connections import Count
from schema.error_groups import ErrorGroup
from schema.execution.fields import Parents, level
from schema.selections import Info
from schema.sources import Source

Key = strawberry.Parent[dict[JobDimension, Any]]
Bucket = strawberry.Parent[timelines.TimeBucket]


@strawberry.type(description="A value of a field of jobs, for completion.")
class Suggestion:
    value: str = strawberry.field(description="The value.")
    count: Count = strawberry.field(
        description=f"The number of jobs that have it; counting stops at {MOST_JOBS}."
    )


@strawberry.type(description="The number of jobs that have a status.")
class StatusCount:
    status: JobStatus = strawberry.field(description="The status.")
    count: Count = strawberry.field(description="The number of jobs that have the status.")


@strawberry.type(
    description="The values that all jobs of a group share. Dimensions not in `by` are null."
)
class JobGroupKey:
    @strawberry.field(description="The status of the jobs.")
    def status(self, parent: Key) -> JobStatus | None:
        return parent.get(JobDimension.STATUS)

    @strawberry.field(description="The type of the jobs.")
    def type(self, parent: Key) -> str | None:
        return parent.get(JobDimension.TYPE)

    @strawberry.field(description="The queue of the jobs.")
    def queue(self, parent: Key) -> str | None:
        return parent.get(JobDimension.QUEUE)

    @strawberry.field(description="The requester of the jobs; also null for jobs without one.")
    def requested_by(self, parent: Key) -> str | None:
        return parent.get(JobDimension.REQUESTED_BY)

    @strawberry.field(description="The name of the batch of the jobs.")
    def batch(self, parent: Key) -> str | None:
        return parent.get(JobDimension.BATCH)

    @strawberry.field(
        description="The last error code of the jobs; also null for jobs without one."
    )
    def last_error_code(self, parent: Key) -> str | None:
        return parent.get(JobDimension.LAST_ERROR_CODE)

    @level(
        "The group of the last error of the jobs; also null for jobs without one, as "
        "`Job.errorGroup`."
    )
    async def error_group(
        self, parents: Parents[dict[JobDimension, Any]], info: Info
    ) -> Sequence[ErrorGroup | None]:
        ids = [key.get(JobDimension.ERROR_GROUP) for key in parents]
        return await error_groups.get_error_groups(info.context, ids)  # type: ignore[return-value]

    @strawberry.field(description="The priority of the jobs.")
    def priority(self, parent: Key) -> int | None:
        return parent.get(JobDimension.PRIORITY)

    @strawberry.field(description="The worker of the jobs; also null for jobs without one.")
    def worker(self, parent: Key) -> str | None:
        return parent.get(JobDimension.WORKER)

    @strawberry.field(description="The verdict of `Job.health` on the jobs.")
    def health(self, parent: Key) -> HealthVerdict | None:
        return parent.get(JobDimension.HEALTH)

    @level(
        "The source of the jobs; also null for jobs without one, and where it was removed, as "
        "`Job.source`."
    )
    async def source(
        self, parents: Parents[dict[JobDimension, Any]], info: Info
    ) -> Sequence[Source | None]:
        ids = [key.get(JobDimension.SOURCE) for key in parents]
        return await sources.get_sources(info.context, ids)


@strawberry.type(
    description="Statistics of durations in seconds; percentiles are interpolated. All fields but "
    "`count` are null if `count` is 0."
)
class DurationStats:
    count: int = strawberry.field(description="The number of jobs that have this duration.")
    avg: float | None = strawberry.field(description="The mean, in seconds.")
    min: float | None = strawberry.field(description="The shortest, in seconds.")
    max: float | None = strawberry.field(description="The longest, in seconds.")
    p50: float | None = strawberry.field(description="The median, in seconds.")
    p95: float | None = strawberry.field(description="The 95th percentile, in seconds.")
    p99: float | None = strawberry.field(description="The 99th percentile, in seconds.")
    is_exact: bool = strawberry.field(
        description="Whether the percentiles are exact; if not, they are within 1 % of that."
    )


@strawberry.type(description="The jobs that have the same values in the dimensions of `by`.")
class JobGroup:
    key: JobGroupKey = strawberry.field(description="The values that the jobs share.")
    count: int = strawberry.field(description="The number of jobs in the group.")
    status_counts: list[StatusCount] = strawberry.field(
        description="The number of jobs in each status; every status is present."
    )
    oldest_created_at: datetime = strawberry.field(
        description="When the oldest job of the group was created."
    )
    newest_created_at: datetime = strawberry.field(
        description="When the newest job of the group was created."
    )
    wait: DurationStats = strawberry.field(description="The distribution of `Job.waitSeconds`.")
    run: DurationStats = strawberry.field(description="The distribution of `Job.runSeconds`.")


@strawberry.type(
    description="The status changes of jobs in one interval of time. The fields count changes, not "
    "jobs: a job that was started twice counts twice in `started`."
)
class TimeBucket:
    start: datetime = strawberry.field(
        description="The start of the interval, which ends at the start of the next one."
    )
    created: int = strawberry.field(description="The number of jobs created.")
    is_partial: bool = strawberry.field(
        description="Whether a part of the interval is outside of the range, or in the future."
    )
    wait: DurationStats = strawberry.field(
        description="How long the runs that were started had waited. Of runs before the latest one "
        "of a job, the wait counts from when the job was queued, even if it was due later."
    )
    run: DurationStats = strawberry.field(description="How long the runs that ended had taken.")

    @strawberry.field(description="The number of runs started.")
    def started(self, parent: Bucket) -> int:
        return parent.changes.get(JobStatus.RUNNING, 0)

    @strawberry.field(description="The number of runs that succeeded.")
    def succeeded(self, parent: Bucket) -> int:
        return parent.changes.get(JobStatus.SUCCEEDED, 0)

    @strawberry.field(description="The number of runs that failed.")
    def failed(self, parent: Bucket) -> int:
        return parent.changes.get(JobStatus.FAILED, 0)

    @strawberry.field(description="The number of jobs canceled.")
    def canceled(self, parent: Bucket) -> int:
        return parent.changes.get(JobStatus.CANCELED, 0)

    @strawberry.field(description="The number of jobs dead-lettered.")
    def dead_lettered(self, parent: Bucket) -> int:
        return parent.changes.get(JobStatus.DEAD_LETTER, 0)


@strawberry.type(description="The status changes of the jobs that have a value in common.")
class TimelineSeries:
    key: JobGroupKey = strawberry.field(
        description="The value that the jobs share; without values for the rest."
    )
    is_rest: bool = strawberry.field(
        description="Whether it has the jobs with all values that have no series of their own."
    )
    buckets: list[TimeBucket] = strawberry.field(
        description="The buckets, as `Query.timeline` has them."
    )

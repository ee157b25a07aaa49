"""The types `QueueSummary` and `WorkerSummary`."""

from datetime import datetime

import strawberry

from db.queries.workers import MOST_JOBS
from resolvers.queues import MAX_MINUTES, MAX_QUEUES, MOST_READ
from resolvers.waiting import MIN_STARTS
from resolvers.workers import MAX_WORKERS
from schema.aggregates import DurationStats
from schema.connections import Count

_READ = (
    f"the first {MOST_READ} jobs of the queue without a `scheduledAt` and of the first {MOST_READ} "
    "with one"
)
MINUTES_DESCRIPTION = f"The minutes to look back, from 1 to {MAX_MINUTES}; null: 15."
QUEUES_DESCRIPTION = (
    "The queues that have jobs queued or running, or whose jobs changed in the last `minutes`. At "
    f"most {MAX_QUEUES}: those whose jobs changed most often in these minutes, then those with the "
    "most jobs queued or running, then by name; they are in this order."
)
QUEUE_NAMES_DESCRIPTION = (
    f"These queues instead, whether they have jobs or not: at most {MAX_QUEUES} names."
)

# The fields for which the beginning of each queue's order is read.
HEAD_FIELDS = frozenset({"due", "scheduled", "oldestDueAt", "latencySeconds", "drainEta"})


@strawberry.type(description="What a queue has to do now, and what it did in the last minutes.")
class QueueSummary:
    name: str = strawberry.field(description="The name of the queue.")
    due: Count = strawberry.field(
        description="How many queued jobs are due. If not exact, at least so many."
    )
    scheduled: Count = strawberry.field(
        description="How many queued jobs are not due yet. If not exact, at least so many."
    )
    running: Count = strawberry.field(
        description="How many jobs run. If not exact, at least so many."
    )
    oldest_due_at: datetime | None = strawberry.field(
        description="Since when the due job that has waited longest is due; null if none is. Of "
        f"{_READ}."
    )
    latency_seconds: float | None = strawberry.field(
        description="For how many seconds the job that goes next has been due; null if none is, or "
        f"if {MOST_READ} jobs with a `scheduledAt` that go before it are not due yet."
    )
    started: int = strawberry.field(description="How many runs were started in the last minutes.")
    succeeded: int = strawberry.field(description="How many runs succeeded in the last minutes.")
    failed: int = strawberry.field(description="How many runs failed in the last minutes.")
    wait: DurationStats = strawberry.field(
        description="How long the runs that were started in the last minutes had waited."
    )
    run: DurationStats = strawberry.field(
        description="How long the runs that ended in the last minutes had taken."
    )
    drain_eta: datetime | None = strawberry.field(
        description="When no job is due any more if the queue goes on as in the last minutes: now "
        "and `due / (started - queued)` times these minutes, where `queued` is how many jobs were "
        "created or queued again in them. Null unless that is positive, `due` is exact and not 0, "
        f"and at least {MIN_STARTS} runs were started."
    )


WORKERS_DESCRIPTION = (
    "The workers that run jobs, or were seen in the last `minutes`, by the names that were given "
    f"when they started a job. At most {MAX_WORKERS}: those that run the most jobs, then those "
    f"seen last; they are in this order. Of the newest {MOST_JOBS} jobs that run, and of the "
    f"{MOST_JOBS} that changed last in these minutes."
)


@strawberry.type(description="A worker: who starts jobs and runs them.")
class WorkerSummary:
    name: str = strawberry.field(description="The name of the worker.")
    running: Count = strawberry.field(
        description="How many jobs it runs. If not exact, at least so many."
    )
    last_seen_at: datetime = strawberry.field(
        description="When it last started or ended a run, or an event was recorded of a job that "
        "it runs."
    )

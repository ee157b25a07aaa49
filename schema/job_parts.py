"""The parts of `Job`: its runs, its moments, its health and its progress."""

from datetime import datetime

import strawberry

from db.event_marks import MARK
from db.health import Health, HealthVerdict
from db.queries.jobs import JobRow
from db.statuses import JobStatus
from resolvers.attempts import Attempt
from schema.execution.fields import leaf
from schema.redacted_fields import secret_json_text, secret_text
from schema.selections import Info


@strawberry.type(description="One run of a job, derived from its events.")
class JobAttempt:
    number: int = strawberry.field(description="The number of the run, from 1.")
    started_at: datetime = strawberry.field(
        description="When the run started; the nearest time that is known if not `isExact`."
    )
    finished_at: datetime | None = strawberry.field(
        description="When the run ended; null while it is running."
    )
    outcome: JobStatus | None = strawberry.field(
        description="The status that the run ended with, QUEUED if the job was returned to the "
        "queue; null while it is running."
    )

    @leaf(
        "Whether `startedAt` is exact. It is not if a source did not report when the run started.",
        {MARK},
    )
    def is_exact(self, parent: strawberry.Parent[Attempt]) -> bool:
        return parent.is_exact

    @leaf(
        "The duration of the run in seconds, up to now while it is running; null if not `isExact`.",
        {"started_at", "finished_at", MARK},
    )
    def run_seconds(self, parent: strawberry.Parent[Attempt], info: Info) -> float | None:
        return parent.run_seconds(info.context.now)

    error_code: str | None = secret_json_text(
        "error_code", "The code of the error that ended the run; null if none was recorded."
    )
    error_message: str | None = secret_json_text(
        "error_message", "The message of the error that ended the run; null if none was recorded."
    )
    worker: str | None = secret_json_text(
        "worker", "The name of the worker that started the run; null if the start named none."
    )


@strawberry.type(description="What a job was at a time, according to its events.")
class JobMoment:
    status: JobStatus = strawberry.field(description="The status.")
    attempt: int = strawberry.field(description="How many times the job had been started.")
    since: datetime = strawberry.field(description="When the job had got this status.")


@strawberry.type(
    description="How a job does, beside what is usual for its type in the last days: for QUEUED "
    "jobs the waits of its type, for others its runs."
)
class JobHealth:
    verdict: HealthVerdict = strawberry.field(description="How the job does.")
    since: datetime | None = strawberry.field(
        description="Since when it is LATE, STUCK or SLOW; null for other verdicts."
    )

    @strawberry.field(description="The median, in seconds; null if there is none.")
    def expected_seconds(self, parent: strawberry.Parent[Health]) -> float | None:
        return parent.figures.median

    @strawberry.field(description="The 95th percentile, in seconds; null if there is none.")
    def p95_seconds(self, parent: strawberry.Parent[Health]) -> float | None:
        return parent.figures.p95

    @strawberry.field(description="How many waits or runs these figures are of.")
    def sample(self, parent: strawberry.Parent[Health]) -> int:
        return parent.figures.sample


@strawberry.type(description="How much of its run a job has done.")
class JobProgress:
    @leaf("The share of the run that is done: 0 to 1.", {"progress_fraction"})
    def fraction(self, parent: strawberry.Parent[JobRow]) -> float:
        return parent.progress_fraction

    step: str | None = secret_text(
        "progress_step", "The name of what is done now; null if none was reported."
    )

    @leaf("When this was reported.", {"progress_at"})
    def at(self, parent: strawberry.Parent[JobRow]) -> datetime:
        return parent.progress_at

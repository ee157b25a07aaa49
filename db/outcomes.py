"""The outcomes of commands: one type each, used as they are up to the schema.

db.errors has the exceptions that JobRepository raises with them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from db.queries.events import JobEventRow
from db.queries.jobs import JobRow
from db.statuses import JobStatus


@dataclass(frozen=True, slots=True)
class CreatedJob:
    """A job; `created` is false if an earlier call with the same key and input created it."""

    job: JobRow
    created: bool


@dataclass(frozen=True, slots=True)
class ChangedJob:
    """A job after its change of status."""

    job: JobRow


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """The event that was appended to a job's history."""

    job_id: UUID
    seq: int


@dataclass(frozen=True, slots=True)
class JobNotFound:
    """The organisation has no job with this id, given as the caller wrote it."""

    job_id: UUID | str

    @property
    def message(self) -> str:
        return "There is no job with this id."


@dataclass(frozen=True, slots=True)
class IdempotencyConflict:
    """The idempotency key belongs to `existing`, a job that was created with different input."""

    existing: JobRow

    @property
    def message(self) -> str:
        return "The idempotency key belongs to a job that was created with different input."


@dataclass(frozen=True, slots=True)
class IllegalTransition:
    """The job's current status or its attempts do not allow the change.

    `allowed`: the statuses that it may change to. `attempt`: the one that the change was for; None
    for any. `reason`: the message, if it is another one than usual.
    """

    job: JobRow
    requested: JobStatus
    allowed: Sequence[JobStatus]
    attempt: int | None = None
    reason: str | None = None

    @property
    def current(self) -> JobStatus:
        return JobStatus(self.job.status)

    @property
    def message(self) -> str:
        if self.reason is not None:
            return self.reason
        if self.attempt not in {None, self.job.attempt}:
            return f"The job is in attempt {self.job.attempt}, not in attempt {self.attempt}."
        return f"A job that is {self.current.name} cannot become {self.requested.name} now."


@dataclass(frozen=True, slots=True)
class ReadOnlyJob:
    """The job is what the facts of its source report: it cannot be changed here."""

    job: JobRow

    @property
    def message(self) -> str:
        return "The job is run by another system. It can be changed only there."


@dataclass(frozen=True, slots=True)
class JobWithEvents:
    """A job and its events, oldest first."""

    job: JobRow
    events: Sequence[JobEventRow]

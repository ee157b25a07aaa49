"""What may come of a write besides success. Clients get these as data, typed, not as errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from db.queries.rows import AnyRow
from db.statuses import JobStatus
from resolvers.ids import EventId


@dataclass(frozen=True, slots=True)
class JobNotFound:
    """There is no job of this id in the viewer's organisation."""

    job_id: str

    @property
    def message(self) -> str:
        return "There is no job of this id."


@dataclass(frozen=True, slots=True)
class IllegalTransition:
    """The job's status, or its attempts, do not allow the change. `job` is as it was met.

    `attempt`: the attempt that the change was meant for; None for any.
    """

    current: JobStatus
    requested: JobStatus
    allowed: Sequence[JobStatus]
    job: AnyRow
    attempt: int | None = None

    @property
    def message(self) -> str:
        if self.attempt not in {None, self.job.attempt}:
            return f"The job is in attempt {self.job.attempt}, not in attempt {self.attempt}."
        return f"A job that is {self.current.name} cannot become {self.requested.name} now."


@dataclass(frozen=True, slots=True)
class IdempotencyConflict:
    """The idempotency key belongs to a job of other input."""

    existing: AnyRow

    @property
    def message(self) -> str:
        return "The idempotency key belongs to a job that was created from other input."


@dataclass(frozen=True, slots=True)
class InvalidInput:
    """A part of the input cannot be taken; `field` names it as clients write it."""

    field: str
    message: str


class InvalidInputError(Exception):
    """Carries an InvalidInput from where it is found to where it is answered."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.outcome = InvalidInput(field, message)


@dataclass(frozen=True, slots=True)
class Created:
    """A job that was created now, or had been by an earlier call of the same key."""

    job: AnyRow
    created: bool


@dataclass(frozen=True, slots=True)
class CreatedMany:
    """The jobs of a batch, in its order."""

    jobs: Sequence[AnyRow]
    created: int
    existing: int


@dataclass(frozen=True, slots=True)
class Changed:
    """A job after its change of status."""

    job: AnyRow


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event that was recorded."""

    event_id: EventId


@dataclass(frozen=True, slots=True)
class ChangedMany:
    """What a bulk change found, up to its limit, and what became of it."""

    jobs: Sequence[AnyRow]
    matched: Any
    changed: int
    skipped: int

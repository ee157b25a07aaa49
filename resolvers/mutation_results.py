"""The outcomes of mutations besides those of db.outcomes: batches, and invalid input."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from db.outcomes import ChangedJob, IllegalTransition, JobNotFound, ReadOnlyJob
from db.queries.rows import AnyRow
from db.statuses import JobStatus
from resolvers.counting import Count


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
class CreatedMany:
    """The jobs of a batch, in its order."""

    jobs: Sequence[AnyRow]
    created: int
    existing: int


@dataclass(frozen=True, slots=True)
class TransitionedMany:
    """The result of each transition of a batch, in its order."""

    results: Sequence[ChangedJob | IllegalTransition | JobNotFound | ReadOnlyJob | InvalidInput]
    changed: int
    refused: int


class SkipReason(StrEnum):
    """Why a bulk operation left a job alone."""

    STATUS = "status"
    READ_ONLY = "read_only"
    CHANGED_SINCE = "changed_since"
    CONCURRENT_CHANGE = "concurrent_change"


@dataclass(frozen=True, slots=True)
class SkippedJobs:
    """The number of jobs with this status that were left alone for this reason."""

    reason: SkipReason
    status: JobStatus
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOutcome:
    """What a bulk operation found, up to its limit, and what it left alone.

    `sample_ids`: in a dry run, some of the jobs that it would change.
    """

    matched: Count
    skips: Sequence[SkippedJobs]
    sample_ids: Sequence[UUID]
    is_dry_run: bool

    @property
    def skipped(self) -> int:
        """The number of jobs that were left alone."""
        return sum(each.count for each in self.skips)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedMany(BulkOutcome):
    """The jobs that a bulk change changed."""

    jobs: Sequence[AnyRow]
    changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedMany(BulkOutcome):
    """How many jobs a bulk deletion deleted."""

    deleted: int
    reason: str | None

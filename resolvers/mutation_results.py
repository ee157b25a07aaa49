"""The outcomes of mutations besides those of db.outcomes: batches, and invalid input."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from db.outcomes import ChangedJob, IllegalTransition, JobNotFound
from db.queries.rows import AnyRow
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

    results: Sequence[ChangedJob | IllegalTransition | JobNotFound | InvalidInput]
    changed: int
    refused: int


@dataclass(frozen=True, slots=True)
class ChangedMany:
    """What a bulk change found, up to its limit, and what became of it."""

    jobs: Sequence[AnyRow]
    matched: Any
    changed: int
    skipped: int


@dataclass(frozen=True, slots=True)
class DeletedMany:
    """What a bulk deletion found, and how many jobs it deleted; none in a dry run."""

    matched: Count
    deleted: int
    is_dry_run: bool
    reason: str | None

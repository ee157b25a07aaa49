"""What JobRepository answers with besides rows. Its refusals: db.errors."""

from collections.abc import Sequence
from dataclasses import dataclass

from db.queries.events import JobEventRow
from db.queries.jobs import JobRow


@dataclass(frozen=True, slots=True)
class CreatedJob:
    """A job, and whether it was created now or had been, by an earlier call of the same key."""

    job: JobRow
    created: bool


@dataclass(frozen=True, slots=True)
class JobWithEvents:
    """A job and its events, the oldest first."""

    job: JobRow
    events: Sequence[JobEventRow]

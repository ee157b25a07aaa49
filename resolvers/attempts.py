"""A job's attempts, as its changes of status tell them."""

from dataclasses import dataclass
from datetime import datetime

import orjson

from db.queries.attempts import ERRORS, AttemptRow
from db.statuses import JobStatus
from resolvers.durations import elapsed_seconds


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of a job. `outcome` and `finished_at` are None while it goes on.

    The error is what the event's detail has: JSON of any kind, see `in_words`.
    """

    number: int
    started_at: datetime
    finished_at: datetime | None = None
    outcome: JobStatus | None = None
    error_code: orjson.Fragment | None = None
    error_message: orjson.Fragment | None = None

    def run_seconds(self, now: datetime) -> float:
        """Measure how long it ran, or has run by now."""
        return elapsed_seconds(self.started_at, self.finished_at or now)


def from_row(row: AttemptRow) -> Attempt:
    """Make an attempt of its row; one that another start followed at once has no end."""
    if row.outcome is None or row.outcome == JobStatus.RUNNING:
        return Attempt(row.attempt, row.started_at)
    errors = {name: getattr(row, name, None) for name in ERRORS}
    return Attempt(row.attempt, row.started_at, row.finished_at, JobStatus(row.outcome), **errors)


def in_words(value: orjson.Fragment | None) -> str | None:
    """Put a JSON value into words: text as it is, None for null, and whatever else as JSON."""
    if value is None:
        return None
    text = orjson.dumps(value).decode()
    if text.startswith('"'):
        string: str = orjson.loads(text)
        return string
    return None if text == "null" else text

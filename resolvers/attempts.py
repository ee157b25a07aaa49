"""The attempts of a job, derived from its status changes."""

from dataclasses import dataclass
from datetime import datetime

import orjson

from db.queries.attempts import ERRORS, WORKER, AttemptRow
from db.statuses import JobStatus
from resolvers.durations import elapsed_seconds


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of a job. `outcome` and `finished_at` are None while it is running.

    The error and the worker are the text of any JSON, as in the details of events; see `as_text`.
    """

    number: int
    started_at: datetime
    finished_at: datetime | None = None
    outcome: JobStatus | None = None
    error_code: str | None = None
    error_message: str | None = None
    worker: str | None = None

    def run_seconds(self, now: datetime) -> float:
        """Return the duration in seconds, up to `now` while it is running."""
        return elapsed_seconds(self.started_at, self.finished_at or now)


def from_row(row: AttemptRow) -> Attempt:
    """Make an attempt from its row. One directly followed by another start has no end."""
    worker = getattr(row, WORKER, None)
    if row.outcome is None or row.outcome == JobStatus.RUNNING:
        return Attempt(row.attempt, row.started_at, worker=worker)
    details = {name: getattr(row, name, None) for name in ERRORS} | {WORKER: worker}
    return Attempt(row.attempt, row.started_at, row.finished_at, JobStatus(row.outcome), **details)


def as_text(text: str | None) -> str | None:
    """Convert JSON to text: the content of a string, None for null, other values as they are."""
    if text is None:
        return None
    if text.startswith('"'):
        string: str = orjson.loads(text)
        return string
    return None if text == "null" else text

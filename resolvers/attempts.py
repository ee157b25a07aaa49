"""The attempts of a job, derived from its status changes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from db.event_marks import MARK, is_exact
from db.queries.attempts import ERRORS, WORKER, AttemptRow
from db.statuses import JobStatus
from resolvers.durations import elapsed_seconds


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of a job. `outcome` and `finished_at` are None while it is running.

    The error and the worker are the text of any JSON, as in the details of events; see `as_text`.
    If not `is_exact`, `started_at` is the nearest time that is known.
    """

    number: int
    started_at: datetime
    finished_at: datetime | None = None
    outcome: JobStatus | None = None
    error_code: str | None = None
    error_message: str | None = None
    worker: str | None = None
    is_exact: bool = True

    def run_seconds(self, now: datetime) -> float | None:
        """Return the duration in seconds, up to `now` while it is running.

        None if it is not known exactly when the run started.
        """
        if not self.is_exact:
            return None
        return elapsed_seconds(self.started_at, self.finished_at or now)


def from_row(row: AttemptRow) -> Attempt:
    """Make an attempt from its row. One directly followed by another start has no end."""
    mark = getattr(row, MARK, None)
    start: dict[str, Any] = {
        "worker": getattr(row, WORKER, None),
        "is_exact": mark is None or is_exact({MARK: orjson.loads(mark)}),
    }
    if row.outcome is None or row.outcome == JobStatus.RUNNING:
        return Attempt(row.attempt, row.started_at, **start)
    errors: dict[str, Any] = {name: getattr(row, name, None) for name in ERRORS}
    outcome = JobStatus(row.outcome)
    return Attempt(row.attempt, row.started_at, row.finished_at, outcome, **errors, **start)


def as_text(text: str | None) -> str | None:
    """Convert JSON to text: the content of a string, None for null, other values as they are."""
    if text is None:
        return None
    if text.startswith('"'):
        string: str = orjson.loads(text)
        return string
    return None if text == "null" else text

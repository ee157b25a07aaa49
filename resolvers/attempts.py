"""A job's attempts, rebuilt from its changes of status."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import orjson

from db.queries.events import JobEventRow
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


def rebuild(transitions: Iterable[JobEventRow]) -> list[Attempt]:
    """Rebuild one job's attempts, oldest first, from its changes of status in `seq` order.

    A start opens an attempt; the next change of status closes it, with that status as outcome.
    """
    attempts: list[Attempt] = []
    for change in transitions:
        if change.next_status == JobStatus.RUNNING:
            attempts.append(Attempt(change.attempt, change.ts))
        elif attempts and attempts[-1].outcome is None:
            attempts[-1] = replace(
                attempts[-1],
                finished_at=change.ts,
                outcome=JobStatus(change.next_status),
                error_code=change.error_code,
                error_message=change.error_message,
            )
    return attempts


def in_words(value: orjson.Fragment | None) -> str | None:
    """Put a JSON value into words: text as it is, None for null, and whatever else as JSON."""
    if value is None:
        return None
    text = orjson.dumps(value).decode()
    if text.startswith('"'):
        string: str = orjson.loads(text)
        return string
    return None if text == "null" else text

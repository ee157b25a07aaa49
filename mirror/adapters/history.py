"""History: the facts of one job, in order, as an adapter finds them in its rows."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from db.facts import Fact
from db.statuses import JobStatus

QUEUED, RUNNING, SUCCEEDED = JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.SUCCEEDED
FAILED, CANCELED, DEAD_LETTER = JobStatus.FAILED, JobStatus.CANCELED, JobStatus.DEAD_LETTER

# The `ts_of` of what was found at a reading, and has no time.
READ = "when it was read"
# The key of a detail with the number of attempts that are not kept. Such a fact is of use only to a
# ledger that does not have these attempts.
NOT_KEPT = "attempts_not_kept"


class History:
    """Collects the facts of one job.

    A time before that of the last fact is lifted to it; the reported one is kept in the detail. A
    time that is not known is that of the last fact. `ts_of` names the column that an inexact time
    was taken from.
    """

    def __init__(self, external_id: str, created_at: datetime) -> None:
        self.external_id = external_id
        self.facts: list[Fact] = []
        self._last = created_at

    @property
    def status(self) -> JobStatus:
        """The status of the last fact."""
        return self.facts[-1].status

    @property
    def attempt(self) -> int:
        """The starts up to the last fact."""
        return (self.facts[-1].attempt or 0) if self.facts else 0

    def add(
        self,
        status: JobStatus,
        ts: datetime | None,
        attempt: int | None,
        *,
        ts_of: str | None = None,
        detail: Mapping[str, Any] | None = None,
        **rest: Any,
    ) -> None:
        """Add a fact; its time is exact unless it is None or `ts_of` is given."""
        notes = {key: value for key, value in (detail or {}).items() if value is not None}
        is_exact = ts is not None and ts_of is None
        if not is_exact:
            notes["ts_of"] = ts_of or "the event before"
        if ts is not None and ts < self._last:
            notes["reported_ts"] = ts.isoformat()
        self._last = max(ts or self._last, self._last)
        fact = Fact(self.external_id, self._last, status, attempt, is_exact, **rest)
        self.facts.append(replace(fact, detail=notes or None))

    def begin(
        self, ts: datetime | None, attempt: int, *, ts_of: str | None = None, **rest: Any
    ) -> None:
        """Add a start; attempts before it that are not kept become one fact."""
        if attempt - self.attempt > 1:
            self.skip_to(attempt - 1)
        self.add(RUNNING, ts, attempt, ts_of=ts_of, **rest)

    def skip_to(self, attempt: int, scheduled_at: datetime | None = None) -> None:
        """Record that the job was started so many times, of which nothing is kept."""
        notes = {NOT_KEPT: attempt - self.attempt}
        self.add(QUEUED, None, attempt, scheduled_at=scheduled_at, detail=notes)

    def fail(
        self,
        ts: datetime | None,
        attempt: int,
        *,
        then: JobStatus,
        then_at: datetime | None = None,
        ts_of: str | None = None,
        scheduled_at: datetime | None = None,
        detail: Mapping[str, Any] | None = None,
        error_code: str | None = None,
        error_message: str | None = None,
    ) -> None:
        """Add a failure and what it led to, at the same time unless `then_at` is given."""
        self.add(
            FAILED,
            ts,
            attempt,
            ts_of=ts_of,
            detail=detail,
            error_code=error_code,
            error_message=error_message,
        )
        if then_at is not None:
            self.add(then, then_at, attempt, scheduled_at=scheduled_at)
        else:
            self.add(then, ts, attempt, ts_of=ts_of, scheduled_at=scheduled_at)

    def schedule(self, due: datetime | None) -> None:
        """Record when the last wait was to end."""
        for index in range(len(self.facts) - 1, -1, -1):
            if self.facts[index].status is QUEUED and due is not None:
                self.facts[index] = replace(self.facts[index], scheduled_at=due)
                break

    def described(self, seen_at: datetime, **fields: Any) -> list[Fact]:
        """Return the facts; the last one bears how the job was when it was read."""
        *others, last = self.facts
        return [*others, replace(last, seen_at=seen_at, **fields)]


def later(ts: datetime | None, than: datetime | None) -> datetime | None:
    """Return the time if it is later than the other: a job scheduled for its creation is not."""
    return ts if ts is not None and (than is None or ts > than) else None

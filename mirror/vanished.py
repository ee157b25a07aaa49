"""What became of a job whose row is gone: the queue has no word of it any more."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from db.facts import Fact
from db.statuses import JobStatus
from mirror.adapters import Adapter


@dataclass(frozen=True, slots=True)
class Known:
    """A job that had not ended: what was read of it, its status, starts, and when it was due."""

    mark: str | None
    status: JobStatus
    attempt: int | None = None
    due: datetime | None = None


def vanished(
    adapter: Adapter, external_id: str, known: Known, ts: datetime, *, is_exact: bool = False
) -> Iterator[Fact]:
    """Return how a job ended whose row was deleted at `ts`.

    A queue deletes the row of a job that ran at its success; of one that waited, because it was
    removed, unless it may have run between two polls.
    """
    may_have_run = adapter.deletes and not is_exact and (known.due is None or known.due <= ts)
    if known.status is JobStatus.RUNNING or (known.status is JobStatus.QUEUED and may_have_run):
        status = JobStatus.SUCCEEDED
    elif known.status is JobStatus.QUEUED:
        status = JobStatus.CANCELED
    else:
        return
    # If it may have been started once more, it is not known.
    is_certain = known.status is JobStatus.RUNNING or status is JobStatus.CANCELED
    attempt = known.attempt if is_certain else None
    detail = {"event": "its row was deleted"}
    yield Fact(external_id, ts, status, attempt, is_exact, detail=detail)

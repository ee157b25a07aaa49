"""One job's change of status, and which job was met where it could not be."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.commands.transitions import Backoff, Transition, change_status
from db.limits import MAX_INT32
from db.queries.jobs import JobRow, load_jobs_by_id
from db.statuses import JobStatus

MET = frozenset({"status", "attempt", "max_attempts", "event_seq"})
# How often it is tried again when the job has become fit for it just after it was refused.
TRIES = 5


@dataclass(frozen=True, slots=True)
class Change:
    """What came of a wanted change: the job after it, or as it was met; None without the job."""

    row: JobRow | None
    changed: bool


async def change_job(
    session: AsyncSession,
    org_id: UUID,
    job_id: UUID,
    transition: Transition,
    *,
    now: datetime,
    backoff: Backoff,
    returning: Collection[str] = (),
) -> Change:
    """Change one job's status as `change_status` does, or read what it met.

    Rows have `returning`, `id` and MET; that of a change `before` too, the status that was.
    """
    columns = MET.union(returning)
    row = None
    for _ in range(TRIES):
        changed = await change_status(
            session, org_id, [job_id], transition, now=now, backoff=backoff, returning=columns
        )
        if changed:
            return Change(changed[0], changed=True)
        row = next(iter(await load_jobs_by_id(session, org_id, [job_id], columns)), None)
        # Others may have moved the job on between the two statements.
        if row is None or not allows(transition, row):
            break
    return Change(row, changed=False)


def allows(transition: Transition, row: JobRow) -> bool:
    """Tell whether the change may be made of a job as it was met. Rows have MET."""
    counted = max(row.event_seq, row.attempt if transition.to is JobStatus.QUEUED else 0)
    return counted < MAX_INT32 and transition.allows(
        JobStatus(row.status), attempt=row.attempt, max_attempts=row.max_attempts
    )

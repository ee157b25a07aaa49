"""Reads of what jobs were at a time, from their events."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import literal, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.events import of_job, wanted_jobs
from db.queries.filters import event
from db.queries.rows import AnyRow, AnySelect, read
from db.tables import Timestamp

MomentRow = AnyRow


async def load_moments_by_job(
    session: AsyncSession, org_id: UUID, job_ids: Sequence[UUID], time: datetime | None
) -> Sequence[MomentRow]:
    """Load the last change of status of each job up to `time`, or of all times, unordered.

    A job without one has no row. Reads each job's events from the newest one back to that change.
    """
    ids = list(job_ids)
    return await read(session, _of_jobs, org_id, ids, time, most_rows=len(ids))


def _of_jobs(org_id: UUID, job_ids: Sequence[UUID], time: datetime | None) -> AnySelect:
    jobs = wanted_jobs(job_ids)
    until = true() if time is None else event.ts <= literal(time, Timestamp)
    change = (
        select(
            event.job_id,
            event.next_status.label("status"),
            event.attempt,
            event.ts.label("since"),
        )
        .where(of_job(org_id, jobs), event.prev_status.is_distinct_from(event.next_status), until)
        .order_by(event.seq.desc())
        .limit(1)
        .lateral("change")
    )
    return select(change).select_from(jobs.join(change, true()))

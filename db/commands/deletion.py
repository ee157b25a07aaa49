"""Deletion of jobs with their events."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Select, Uuid, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.commands.notifications import notify
from db.criteria import JobCriteria
from db.queries.filters import is_any, job_conditions
from db.tables import (
    error_group_table,
    error_job_table,
    error_job_tally_table,
    error_tally_table,
    job_table,
    tally_duration_table,
    tally_key_table,
    tally_state_table,
    tally_table,
    type_usual_table,
)
from db.tallies.removal import remove_from_tallies

# What is made of jobs and events.
_DERIVED = (
    tally_state_table,
    tally_key_table,
    tally_table,
    tally_duration_table,
    error_group_table,
    error_tally_table,
    error_job_table,
    error_job_tally_table,
    type_usual_table,
)


async def delete_jobs(
    session: AsyncSession,
    org_id: UUID,
    job_ids: Sequence[UUID],
    criteria: JobCriteria | None = None,
    *,
    skip_locked: bool = False,
) -> Sequence[UUID]:
    """Delete jobs with their events, whatever their status; return the ids of those deleted.

    Only jobs that meet the criteria once their rows are locked. Rows are locked in the order of
    their ids; locked ones are waited for, or skipped with `skip_locked`.
    """
    if not job_ids:
        return []
    locked = await session.execute(_lock(org_id, job_ids, criteria, skip_locked=skip_locked))
    ids = locked.scalars().all()
    if ids:
        await remove_from_tallies(session, org_id, ids, datetime.now(UTC))
        # The foreign key deletes their events.
        own = job_table.c.org_id == org_id, is_any(job_table.c.id, ids, Uuid())
        await session.execute(delete(job_table).where(*own))
        await notify(session, org_id)
    return ids


async def delete_job(session: AsyncSession, org_id: UUID, job_id: UUID) -> bool:
    """Delete a job with its events, whatever its status; return whether it existed."""
    return bool(await delete_jobs(session, org_id, [job_id]))


def _lock(
    org_id: UUID, job_ids: Sequence[UUID], criteria: JobCriteria | None, *, skip_locked: bool
) -> Select[UUID]:
    job = job_table.c
    return (
        select(job.id)
        .where(job_conditions(org_id, criteria), is_any(job.id, list(job_ids), Uuid()))
        .order_by(job.id)
        .with_for_update(skip_locked=skip_locked)
    )


async def delete_all_jobs(session: AsyncSession, org_ids: Sequence[UUID]) -> int:
    """Delete all jobs of these organisations with their events; return the number of jobs."""
    for table in _DERIVED:
        await session.execute(delete(table).where(table.c.org_id.in_(org_ids)))
    deleted = delete(job_table).where(job_table.c.org_id.in_(org_ids)).returning(job_table.c.id)
    count = select(func.count()).select_from(deleted.cte())
    return int((await session.execute(count)).scalar_one())

"""Deletion of jobs with their events."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.commands.notifications import notify
from db.tables import job_table


async def delete_job(session: AsyncSession, org_id: UUID, job_id: UUID) -> bool:
    """Delete a job, whatever its status; return whether it existed.

    The foreign key deletes its events.
    """
    job = job_table.c
    statement = delete(job_table).where(job.org_id == org_id, job.id == job_id).returning(job.id)
    deleted = (await session.execute(statement)).first() is not None
    if deleted:
        await notify(session, org_id)
    return deleted


async def delete_all_jobs(session: AsyncSession, org_ids: Sequence[UUID]) -> int:
    """Delete all jobs of these organisations with their events; return the number of jobs."""
    deleted = delete(job_table).where(job_table.c.org_id.in_(org_ids)).returning(job_table.c.id)
    count = select(func.count()).select_from(deleted.cte())
    return int((await session.execute(count)).scalar_one())

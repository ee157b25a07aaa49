"""Deletion of jobs with their events."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.commands.notifications import notify
from db.tables import (
    job_table,
    tally_duration_table,
    tally_key_table,
    tally_state_table,
    tally_table,
)
from db.tallies.removal import remove_from_tallies


async def delete_job(session: AsyncSession, org_id: UUID, job_id: UUID) -> bool:
    """Delete a job, whatever its status; return whether it existed.

    The foreign key deletes its events.
    """
    job = job_table.c
    own = job.org_id == org_id, job.id == job_id
    if (await session.execute(select(job.id).where(*own).with_for_update())).first() is None:
        return False
    await remove_from_tallies(session, org_id, [job_id], datetime.now(UTC))
    await session.execute(delete(job_table).where(*own))
    await notify(session, org_id)
    return True


async def delete_all_jobs(session: AsyncSession, org_ids: Sequence[UUID]) -> int:
    """Delete all jobs of these organisations with their events; return the number of jobs."""
    for table in (tally_state_table, tally_key_table, tally_table, tally_duration_table):
        await session.execute(delete(table).where(table.c.org_id.in_(org_ids)))
    deleted = delete(job_table).where(job_table.c.org_id.in_(org_ids)).returning(job_table.c.id)
    count = select(func.count()).select_from(deleted.cte())
    return int((await session.execute(count)).scalar_one())

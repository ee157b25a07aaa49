"""Reads of `job`: pages, counts and rows by id. Only the columns asked for are read."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JobCriteria
from db.queries.counts import count, exists_behind, probe
from db.queries.filters import is_any, job_conditions
from db.queries.keyset import JOBS_NEWEST_FIRST, Window, page
from db.queries.rows import AnyRow, read_all
from db.tables import job_table

JobRow = AnyRow


async def list_jobs(
    session: AsyncSession,
    org_id: UUID,
    criteria: JobCriteria | None,
    window: Window,
    columns: Collection[str],
) -> Sequence[JobRow]:
    """List the window's jobs in the direction of travel.

    Rows have `columns`, `id` and what the window's order sorts by. Without criteria, or with one
    status, type or queue in CREATED_AT order, it reads no more rows than it returns; where nearly
    all jobs have that status, type or queue, it may read a few others on the way.
    """
    keys = {part.attribute for part in window.order.parts}
    statement = select(*job_columns(keys.union(columns))).where(job_conditions(org_id, criteria))
    return await read_all(session, page(statement, window), window.limit)


async def job_exists_behind(
    session: AsyncSession, org_id: UUID, criteria: JobCriteria | None, window: Window
) -> bool:
    """Tell whether the window leaves a job that meets the criteria behind it."""
    statement = exists_behind(job_table, job_conditions(org_id, criteria), window)
    return (await session.execute(statement)).first() is not None


async def count_jobs(
    session: AsyncSession, org_id: UUID, criteria: JobCriteria | None, at_most: int | None
) -> int:
    """Count the jobs that meet the criteria; where `at_most` is given, stop one past it."""
    statement = count(job_table, job_conditions(org_id, criteria), at_most, JOBS_NEWEST_FIRST)
    return (await session.execute(statement)).scalar_one()


async def load_jobs_by_id(
    session: AsyncSession, org_id: UUID, ids: Sequence[UUID], columns: Collection[str]
) -> Sequence[JobRow]:
    """Load the jobs of these ids that exist, in no order."""
    statement = select(*job_columns({"id"}.union(columns))).where(
        job_table.c.org_id == org_id,
        is_any(job_table.c.id, ids, Uuid()),
    )
    return await read_all(session, statement, len(ids))


async def job_exists(session: AsyncSession, org_id: UUID, job_id: UUID) -> bool:
    """Tell whether there is a job of this id."""
    statement = probe(job_table, job_conditions(org_id, JobCriteria(ids=[job_id])))
    return (await session.execute(statement)).first() is not None


def job_columns(names: Collection[str]) -> list[Any]:
    """Get the columns of `job` by their names."""
    # In the table's order, so that equal sets make equal statements.
    return [column for column in job_table.c if column.name in names]

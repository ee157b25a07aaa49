"""Reads of `job`: pages, counts and rows by id. Only the requested columns are read."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JobCriteria
from db.queries.alternatives import job_ranges
from db.queries.counts import behind, count_all, count_first, probe, up_to
from db.queries.filters import is_any, job_conditions
from db.queries.keyset import JOBS_NEWEST_FIRST, Window, page
from db.queries.rows import AnyRow, AnySelect, read, read_one
from db.queries.tags import count_jobs_with_tags
from db.queries.tallies import count_by_status, open_tallies, statuses_of
from db.tables import job_table

JobRow = AnyRow


async def list_jobs(
    session: AsyncSession,
    org_id: UUID,
    criteria: JobCriteria | None,
    window: Window,
    columns: Collection[str],
) -> Sequence[JobRow]:
    """List the window's jobs, in the window's direction.

    Rows have `columns`, `id` and the columns of the window's order. Without criteria, or with
    statuses, one type, one queue, or one type and statuses in CREATED_AT order, it reads no more
    rows than it returns for each status, except for a few others if nearly all jobs have that
    status, type or queue.
    """
    names = frozenset(columns)
    return await read(session, _page, org_id, criteria, window, names, most_rows=window.limit)


def _page(
    org_id: UUID, criteria: JobCriteria | None, window: Window, columns: frozenset[str]
) -> AnySelect:
    keys = {column.attribute for column in window.order.columns}
    statement = select(*job_columns(keys.union(columns)))
    ranges = job_ranges(statement, org_id, criteria, window.order, lambda part: page(part, window))
    return ranges.page(window)


async def job_exists_behind(
    session: AsyncSession, org_id: UUID, criteria: JobCriteria | None, window: Window
) -> bool:
    """Return whether a job that meets the criteria is behind the window."""
    return await read_one(session, _behind, org_id, criteria, window) is not None


def _behind(org_id: UUID, criteria: JobCriteria | None, window: Window) -> AnySelect:
    return job_ranges(probe(job_table), org_id, criteria, window.order, behind(window)).first(1)


async def count_jobs(
    session: AsyncSession, org_id: UUID, criteria: JobCriteria | None, at_most: int | None
) -> int:
    """Count the jobs that meet the criteria; with `at_most`, counting may stop at `at_most` + 1."""
    tallies = await open_tallies(session, org_id, criteria)
    if tallies is not None:
        counts = await count_by_status(session, tallies)
        return sum(counts[status] for status in statuses_of(criteria))
    if at_most is None:
        by_status = await count_jobs_with_tags(session, criteria)
        if by_status is not None:
            return sum(by_status.values())
    most = None if at_most is None else at_most + 1
    counted: int = await read_one(session, _count, org_id, criteria, most)
    return counted


def _count(org_id: UUID, criteria: JobCriteria | None, most: int | None) -> AnySelect:
    if most is None:
        return count_all(job_table, job_conditions(org_id, criteria))
    order = JOBS_NEWEST_FIRST
    return count_first(
        job_ranges(probe(job_table), org_id, criteria, order, up_to(most, order)), most
    )


async def load_jobs_by_id(
    session: AsyncSession, org_id: UUID, ids: Sequence[UUID], columns: Collection[str]
) -> Sequence[JobRow]:
    """Load the existing jobs with these ids, unordered."""
    wanted = list(ids)
    return await read(session, _by_id, org_id, wanted, frozenset(columns), most_rows=len(wanted))


def _by_id(org_id: UUID, ids: Sequence[UUID], columns: frozenset[str]) -> AnySelect:
    return select(*job_columns(columns | {"id"})).where(
        job_table.c.org_id == org_id, is_any(job_table.c.id, ids, Uuid())
    )


async def job_exists(session: AsyncSession, org_id: UUID, job_id: UUID) -> bool:
    """Return whether a job with this id exists."""
    return await read_one(session, _probe, org_id, [job_id]) is not None


def _probe(org_id: UUID, ids: Sequence[UUID]) -> AnySelect:
    return probe(job_table).where(job_conditions(org_id, JobCriteria(ids=ids)))


def job_columns(names: Collection[str]) -> list[Any]:
    """Get columns of `job` by their names."""
    # In the table's order, so that equal sets of names give equal statements.
    return [column for column in job_table.c if column.name in names]

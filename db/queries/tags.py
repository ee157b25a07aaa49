"""The search for tags in their index, and counts by it: by the functions of migrations."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import column, func, literal, literal_column, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JobCriteria, Locations, Tags
from db.queries.locations import located
from db.queries.rows import AnySelect, read, read_one
from db.statements import is_citus
from db.statuses import JobStatus
from db.tables import job_table

# Tags are common if so many of the newest jobs have them; as in the function of migration 0009.
NEWEST, COMMON = 2_000, 40


async def locate_jobs_with_tags(
    session: AsyncSession, _org_id: UUID, wanted: Tags, *, with_common: bool = False
) -> Locations | None:
    """Locate all jobs of the session's organisation that have these tags.

    None: they are too many or, but for `with_common`, common, or the database cannot tell: on Citus
    the workers do not have the function.
    """
    if await is_citus(session):
        return None
    found: Locations | None = await read_one(session, _located, wanted, with_common)
    return found


def has_only_tags(criteria: JobCriteria | None) -> bool:
    """Return whether the criteria have tags, and no other condition but on the status."""
    if criteria is None:
        return False
    rest = replace(criteria, tags=None, tags_are_common=None, status=None)
    return bool(criteria.tags) and rest == JobCriteria()


async def count_jobs_with_tags(
    session: AsyncSession, criteria: JobCriteria | None
) -> dict[JobStatus, int] | None:
    """Count the jobs of the session's organisation by status.

    None: there are other conditions than tags and statuses, or on Citus as above.
    """
    if criteria is None or not has_only_tags(criteria) or await is_citus(session):
        return None
    assert criteria.tags is not None
    statuses = set(JobStatus if criteria.status is None else criteria.status)
    rows = await read(session, _count, Tags(criteria.tags))
    counts = {JobStatus(row.with_status): row.jobs for row in rows}
    return {status: counts[status] for status in statuses & counts.keys()}


async def are_tags_common(session: AsyncSession, org_id: UUID, wanted: Tags) -> bool:
    """Return whether so many of the newest jobs have these tags that a page is soon full."""
    return bool(await read_one(session, _count_newest, org_id, wanted) >= COMMON)


def _located(wanted: Tags, with_common: bool) -> AnySelect:
    tags = literal(wanted.tags, JSONB())
    return located(func.joblens_rows_with_tags, tags, with_common=with_common)


def _count(wanted: Tags) -> AnySelect:
    counted = func.joblens_count_jobs_with_tags(literal(wanted.tags, JSONB()))
    return select(column("with_status"), column("jobs")).select_from(counted.alias("counted"))


def _count_newest(org_id: UUID, wanted: Tags) -> AnySelect:
    newest = (
        select(job_table.c.tags)
        .where(job_table.c.org_id == org_id)
        .order_by(job_table.c.created_at.desc(), job_table.c.id.desc())
        .limit(literal_column(str(NEWEST)))
        .subquery("newest")
        .c
    )
    return select(func.count()).where(newest.tags.contains(literal(wanted.tags, JSONB())))

"""The search for tags in their index, and counts by it: by the functions of migrations."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import Boolean, Integer, column, func, literal, literal_column, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JobCriteria, Locations, Tags
from db.queries.locations import as_locations
from db.queries.payloads import MOST_JOBS
from db.queries.rows import AnySelect, read, read_one
from db.statements import is_citus
from db.statuses import JobStatus
from db.tables import job_table

# The most jobs that are located to count them, instead of reading all jobs.
MOST_COUNTED = 50_000
# Tags are common if so many of the newest jobs have them; as in the function of migration 0009.
NEWEST, COMMON = 2_000, 40


async def locate_jobs_with_tags(
    session: AsyncSession, _org_id: UUID, wanted: Tags, *, with_common: bool = False
) -> Locations | None:
    """Locate all jobs of the session's organisation that have these tags.

    None: they are more than MOST_JOBS, or many of the newest jobs, or the database cannot tell: on
    Citus the workers do not have the function. `with_common`: also if they are many of the newest
    jobs, up to MOST_COUNTED.
    """
    if await is_citus(session):
        return None
    found: Locations | None = await read_one(session, _locate, wanted, with_common)
    return found


def has_only_tags(criteria: JobCriteria) -> bool:
    """Return whether the criteria have tags, and no other condition but on the status."""
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


def _locate(wanted: Tags, with_common: bool) -> AnySelect:
    most = MOST_COUNTED if with_common else MOST_JOBS
    found = func.joblens_rows_with_tags(
        literal(wanted.tags, JSONB()), literal(most, Integer()), literal(with_common, Boolean())
    )
    return select(as_locations(found))


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

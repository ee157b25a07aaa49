"""Reads of `org`: lists for administrators, and the name for requests."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.rows import AnyRow, AnySelect, read_all, read_one
from db.tables import job_table, org_table

OrgRow = AnyRow


async def list_orgs(
    session: AsyncSession, *, org_id: UUID | None = None, name: str | None = None
) -> Sequence[OrgRow]:
    """List the organisations by name: all, or those with this id or name. Names may repeat."""
    org = org_table.c
    statement = select(org_table).order_by(org.name, org.created_at)
    if org_id is not None:
        statement = statement.where(org.org_id == org_id)
    if name is not None:
        statement = statement.where(org.name == name)
    return await read_all(session, statement)


async def get_org_name(session: AsyncSession, org_id: UUID) -> str | None:
    """Get the name of an organisation; None if it is not in `org`."""
    name: str | None = await read_one(session, _name, org_id)
    return name


def _name(org_id: UUID) -> AnySelect:
    return select(org_table.c.name).where(org_table.c.org_id == org_id)


async def has_jobs(session: AsyncSession, org_id: UUID) -> bool:
    """Return whether an organisation has jobs, even if it is not in `org`."""
    statement = select(job_table.c.org_id).where(job_table.c.org_id == org_id).limit(1)
    return (await session.execute(statement)).first() is not None


async def list_org_ids_of_jobs(session: AsyncSession) -> AsyncIterator[UUID]:
    """Yield the ids of organisations with jobs, in order, with one short statement each."""
    org_id = job_table.c.org_id
    statement = select(org_id).order_by(org_id).limit(1)
    current = (await session.execute(statement)).scalar()
    while current is not None:
        yield current
        current = (await session.execute(statement.where(org_id > current))).scalar()

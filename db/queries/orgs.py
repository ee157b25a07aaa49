"""Reads of `org`, for whoever runs Joblens."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.rows import AnyRow, read_all
from db.tables import org_table

OrgRow = AnyRow


async def list_orgs(
    session: AsyncSession, *, org_id: UUID | None = None, name: str | None = None
) -> Sequence[OrgRow]:
    """List the organisations, by name: all, or those of this id or name. Names may repeat."""
    org = org_table.c
    statement = select(org_table).order_by(org.name, org.created_at)
    if org_id is not None:
        statement = statement.where(org.org_id == org_id)
    if name is not None:
        statement = statement.where(org.name == name)
    return await read_all(session, statement)

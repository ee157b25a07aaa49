"""Writes of `org`, by administrators."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import org_table


async def create_org(session: AsyncSession, org_id: UUID, name: str, now: datetime) -> bool:
    """Create an organisation; return whether its id was free. It may have jobs already."""
    statement = (
        insert(org_table)
        .values(org_id=org_id, name=name, created_at=now)
        .on_conflict_do_nothing(index_elements=[org_table.c.org_id])
        .returning(org_table.c.org_id)
    )
    return (await session.execute(statement)).first() is not None

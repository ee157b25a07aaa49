"""Telling the processes that watch: an organisation has news."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

CHANNEL = "joblens"


async def notify(session: AsyncSession, org_id: UUID) -> None:
    """Send one notification, which PostgreSQL delivers when the transaction commits.

    It says only whose ledger has news; who listens reads the news itself.
    """
    await session.execute(select(func.pg_notify(CHANNEL, str(org_id))))

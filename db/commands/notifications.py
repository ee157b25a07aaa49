"""Notifications to db.listener that an organisation has new events."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

CHANNEL = "joblens"


async def notify(session: AsyncSession, org_id: UUID) -> None:
    """Send a notification, which PostgreSQL delivers when the transaction commits.

    It has only the organisation's id; the listener's process reads the events.
    """
    await session.execute(select(func.pg_notify(CHANNEL, str(org_id))))

"""Notifications to db.listener that an organisation has new events.

They have only the organisation's id; the listener's process reads the events.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, Uuid, cast, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.rows import AnySelect, read_one

CHANNEL = "joblens"


async def notify(session: AsyncSession, org_id: UUID) -> None:
    """Send a notification, which PostgreSQL delivers when the transaction commits."""
    await read_one(session, _select, org_id)


def notification(org_id: UUID) -> ColumnElement[Any]:
    """Return the call that sends a notification."""
    return func.pg_notify(CHANNEL, cast(literal(org_id, Uuid()), Text()))


async def send(session: AsyncSession, payload: str) -> None:
    """Send any text to the listeners, who ignore what is not an organisation's id."""
    await read_one(session, _select_text, payload)


def _select_text(payload: str) -> AnySelect:
    return select(func.pg_notify(CHANNEL, literal(payload, Text())))


def _select(org_id: UUID) -> AnySelect:
    return select(notification(org_id))

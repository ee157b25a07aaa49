"""Notifications to db.listener that an organisation has new events.

They have only the organisation's id; the listener's process reads the events.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, Uuid, cast, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.notifier import CHANNEL
from db.queries.rows import AnySelect, read_one
from db.statements import TRANSACTION
from db.transactions import Transaction


async def notify(session: AsyncSession, org_id: UUID) -> None:
    """Have a notification sent when the transaction has committed.

    After it, by the engine's notifier; if it has none, by the transaction itself.
    """
    transaction = _notifying(session)
    if transaction is None:
        await read_one(session, _select, org_id)
    else:
        transaction.notify_after_commit(org_id)


def has_notifier(session: AsyncSession) -> bool:
    """Return whether notifications are sent after the commit."""
    return _notifying(session) is not None


def _notifying(session: AsyncSession) -> Transaction | None:
    transaction: Transaction | None = session.info.get(TRANSACTION)
    return transaction if transaction is not None and transaction.has_notifier else None


def notification(org_id: UUID) -> ColumnElement[Any]:
    """Return the call that sends a notification."""
    return func.pg_notify(CHANNEL, cast(literal(org_id, Uuid()), Text()))


def _select(org_id: UUID) -> AnySelect:
    return select(notification(org_id))

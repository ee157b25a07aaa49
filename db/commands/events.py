"""Writes of `job_event`. Events are only ever appended, in the transaction of what they tell of."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, literal, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.commands.notifications import notify
from db.tables import Timestamp, job_event_table, job_table

JsonObject = Mapping[str, Any]


def moment_of(now: datetime) -> ColumnElement[datetime]:
    """Write the time of a change in SQL: `now`, but not before what has happened to the job.

    A writer may have waited for the lock of the job's row since its `now`, or have a slow clock.
    """
    job = job_table.c
    return func.greatest(literal(now, Timestamp), job.updated_at, job.created_at, job.started_at)


async def append_events(session: AsyncSession, events: Sequence[Mapping[str, Any]]) -> None:
    """Append events whose `seq` their jobs' rows, locked by this transaction, have counted."""
    if events:
        await session.execute(insert(job_event_table), list(events))


async def record_event(
    session: AsyncSession,
    org_id: UUID,
    job_id: UUID,
    detail: JsonObject,
    *,
    now: datetime,
) -> int | None:
    """Append an event that leaves the job's status as it is; get its `seq`, None without the job.

    Locks the job's row. The event bears `now`, or the job's last change if that is later.
    """
    job = job_table.c
    statement = (
        update(job_table)
        .where(job.org_id == org_id, job.id == job_id)
        .values(event_seq=job.event_seq + 1, updated_at=moment_of(now))
        .returning(job.status, job.attempt, job.event_seq, job.updated_at)
    )
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        return None
    event = {
        "org_id": org_id,
        "job_id": job_id,
        "seq": row.event_seq,
        "ts": row.updated_at,
        "prev_status": row.status,
        "next_status": row.status,
        "attempt": row.attempt,
        "detail": dict(detail),
    }
    await append_events(session, [event])
    await notify(session, org_id)
    seq: int = row.event_seq
    return seq

"""Writes of `job_event`. Events are only appended, in the transaction of the change they record."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, literal, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.commands.notifications import notify
from db.outcomes import JobNotFound, RecordedEvent
from db.tables import Timestamp, job_event_table, job_table

JsonObject = Mapping[str, Any]


def change_time(now: datetime) -> ColumnElement[datetime]:
    """Return the time of a change in SQL: `now`, or the job's latest time if that is later.

    The writer may have waited for the row's lock since its `now`, or its clock may be slow.
    """
    job = job_table.c
    return func.greatest(literal(now, Timestamp), job.updated_at, job.created_at, job.started_at)


async def append_events(session: AsyncSession, events: Sequence[Mapping[str, Any]]) -> None:
    """Append events; their `seq` comes from the job rows, which this transaction has locked."""
    if events:
        await session.execute(insert(job_event_table), list(events))


async def record_event(
    session: AsyncSession,
    org_id: UUID,
    job_id: UUID,
    detail: JsonObject,
    *,
    now: datetime,
) -> RecordedEvent | JobNotFound:
    """Append an event that does not change the job's status.

    Locks the job's row. The event's time is `now`, or the job's latest time if that is later.
    """
    job = job_table.c
    statement = (
        update(job_table)
        .where(job.org_id == org_id, job.id == job_id)
        .values(event_seq=job.event_seq + 1, updated_at=change_time(now))
        .returning(job.status, job.attempt, job.event_seq, job.updated_at)
    )
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        return JobNotFound(job_id)
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
    return RecordedEvent(job_id, row.event_seq)

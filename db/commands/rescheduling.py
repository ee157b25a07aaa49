"""Changes of when a queued job is due, and of its priority, each with its event."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ClauseElement, Text, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.commands.events import (
    RESCHEDULED,
    InOne,
    change_time,
    change_with_events,
    json_text,
    with_events,
)
from db.commands.transitions import STATE_COLUMNS
from db.limits import MAX_INT32
from db.outcomes import ChangedJob, IllegalTransition, JobNotFound, ReadOnlyJob
from db.queries.jobs import JobRow, job_columns
from db.queries.rows import AnySelect, read
from db.statuses import JobStatus
from db.tables import Timestamp, job_table

job = job_table.c

_SCHEDULE = frozenset({"scheduled_at", "priority"})


@dataclass(frozen=True, slots=True)
class Reschedule:
    """A new schedule. `at`: None for now. `keeps_time`: it changes only the priority.

    `priority`: None for as it is.
    """

    at: datetime | None = None
    priority: int | None = None
    keeps_time: bool = False

    def of(self, row: JobRow, now: datetime) -> dict[str, Any]:
        """Return the columns of the schedule that a job gets.

        A job that is due already and is to run now stays as it is: its wait has begun.
        """
        is_due = row.scheduled_at is None or row.scheduled_at <= now
        kept = self.keeps_time or (self.at is None and is_due)
        return {
            "scheduled_at": row.scheduled_at if kept else self.at or now,
            "priority": row.priority if self.priority is None else self.priority,
        }


async def reschedule_job(
    session: AsyncSession,
    org_id: UUID,
    job_id: UUID,
    wanted: Reschedule,
    *,
    now: datetime,
    detail: Mapping[str, Any],
    returning: Collection[str] = (),
) -> ChangedJob | IllegalTransition | JobNotFound | ReadOnlyJob:
    """Change the schedule of a queued job, and append an event with the old and the new one.

    Locks the job's row. The outcome's row has `returning`, `id` and STATE_COLUMNS.
    """
    columns = STATE_COLUMNS.union(returning)
    rows = await read(session, _lock, org_id, job_id, columns | _SCHEDULE)
    if not rows:
        return JobNotFound(job_id)
    before = rows[0]
    if (refused := _refusal(before)) is not None:
        return refused
    after = wanted.of(before, now)
    change = {"from": _told(before.scheduled_at, before.priority), "to": _told(**after)}
    noted = {**detail, RESCHEDULED: change}
    changed = await change_with_events(
        session,
        org_id,
        _change,
        job_id,
        after["scheduled_at"],
        after["priority"],
        now,
        json_text(noted),
        columns,
        detail=lambda _: noted,
    )
    return ChangedJob(changed[0])


def _refusal(row: JobRow) -> IllegalTransition | ReadOnlyJob | None:
    if row.source_id is not None:
        return ReadOnlyJob(row)
    if row.status != JobStatus.QUEUED:
        is_now = JobStatus(row.status).name
        reason = f"Only a job that is QUEUED can be rescheduled; this one is {is_now}."
        return IllegalTransition(row, JobStatus.QUEUED, [], reason=reason)
    # No more events can be appended.
    return None if row.event_seq < MAX_INT32 else IllegalTransition(row, JobStatus.QUEUED, [])


def _told(scheduled_at: datetime | None, priority: int) -> dict[str, Any]:
    time = None if scheduled_at is None else scheduled_at.astimezone(UTC).isoformat()
    return {"scheduled_at": time, "priority": priority}


def _lock(org_id: UUID, job_id: UUID, columns: frozenset[str]) -> AnySelect:
    statement = select(*job_columns(columns | {"id"}))
    return statement.where(job.org_id == org_id, job.id == job_id).with_for_update()


def _change(
    in_one: InOne,
    org_id: UUID,
    job_id: UUID,
    scheduled_at: datetime | None,
    priority: int,
    now: datetime,
    detail: str,
    columns: frozenset[str],
) -> ClauseElement:
    change = (
        update(job_table)
        .where(job.org_id == org_id, job.id == job_id)
        .values(
            scheduled_at=literal(scheduled_at, Timestamp),
            priority=priority,
            event_seq=job.event_seq + 1,
            updated_at=change_time(now),
        )
    )
    text = literal(detail, Text())
    return with_events(change, job.status, columns, in_one=in_one, org_id=org_id, detail=text)

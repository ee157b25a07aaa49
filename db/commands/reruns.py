"""Creation of a job as a copy of another one, which the database makes: no value leaves it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Insert, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.commands.creation import NewJob, first_event, new_row
from db.commands.events import append_events
from db.commands.notifications import notify
from db.outcomes import CreatedJob, JobNotFound
from db.queries.jobs import job_columns
from db.tables import job_table

job = job_table.c

# The key of the first event's detail that has the id of the job that was copied.
RERUN_OF = "rerun_of"
COPIED = frozenset(
    {
        "type",
        "queue",
        "priority",
        "max_attempts",
        "backoff_policy",
        "requested_by",
        "payload",
        "parent_id",
        "batch",
        "tags",
    }
)


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be different in the copy; None: nothing. A payload replaces the whole one."""

    payload: Any = None
    queue: str | None = None
    priority: int | None = None

    def given(self) -> dict[str, Any]:
        """Return the columns that differ."""
        values = {"payload": self.payload, "queue": self.queue, "priority": self.priority}
        return {name: value for name, value in values.items() if value is not None}


async def rerun_job(
    session: AsyncSession,
    org_id: UUID,
    job_id: UUID,
    changes: Changes,
    *,
    now: datetime,
    detail: Mapping[str, Any],
    returning: Collection[str] = (),
) -> CreatedJob | JobNotFound:
    """Create a queued job with the input of another one, whatever its status, and its first event.

    The idempotency key and `scheduled_at` are not copied. The other job is not locked. The row has
    `id` and `returning`.
    """
    # Its type is one of the columns that are copied.
    row = new_row(org_id, NewJob(type=""), now)
    values = {name: value for name, value in row.items() if name not in COPIED} | changes.given()
    statement = _copy(org_id, job_id, values).returning(*job_columns({"id", *returning}))
    copied = (await session.execute(statement)).first()
    if copied is None:
        return JobNotFound(job_id)
    noted = {**detail, RERUN_OF: str(job_id)}
    await append_events(session, [first_event(org_id, copied.id, now, noted)])
    await notify(session, org_id)
    return CreatedJob(copied, created=True)


def _copy(org_id: UUID, job_id: UUID, values: Mapping[str, Any]) -> Insert:
    # The organisation leads: see the rules for tables that are spread over shards.
    names = ["org_id", *sorted(COPIED.union(values) - {"org_id"})]
    source = select(*(_value(job[name], values) for name in names)).where(
        job.org_id == org_id, job.id == job_id
    )
    return insert(job_table).from_select(names, source, include_defaults=False)


def _value(column: Column[Any], values: Mapping[str, Any]) -> ColumnElement[Any]:
    return literal(values[column.name], column.type) if column.name in values else column

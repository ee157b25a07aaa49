"""Writes of `job_event`. Events are only appended, in the transaction of the change they record.

A change of `job` is an UPDATE that counts the event. On plain PostgreSQL one statement carries it
out, appends its events and notifies. Citus takes ten times as long for a statement that writes to
two tables, so it gets three.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    Double,
    Text,
    Update,
    Uuid,
    cast,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from db.commands.notifications import has_notifier, notification, notify
from db.json_values import dumps
from db.outcomes import JobNotFound, ReadOnlyJob, RecordedEvent
from db.progress import PROGRESS, Progress
from db.queries.jobs import JobRow, job_columns, load_jobs_by_id
from db.queries.rows import row_type
from db.statements import is_citus, prepare
from db.tables import Timestamp, job_event_table, job_table
from db.templates import Build, Constant

JsonObject = Mapping[str, Any]

job = job_table.c

# The key of an event's detail that has the schedule of a job before and after its change.
RESCHEDULED = "rescheduled"
# The columns of `job` that its next event is made of.
STATE_OF_EVENT = frozenset({"id", "status", "attempt", "event_seq", "updated_at"})
_EVENT_COLUMNS = (
    *("org_id", "job_id", "seq", "ts"),
    *("prev_status", "next_status", "attempt", "detail"),
)


def change_time(now: datetime) -> ColumnElement[datetime]:
    """Return the time of a change in SQL: `now`, or the job's latest time if that is later.

    The writer may have waited for the row's lock since its `now`, or its clock may be slow.
    """
    known = job.updated_at, job.created_at, job.started_at, job.progress_at
    return func.greatest(literal(now, Timestamp), *known)


def json_text(value: Any) -> str | None:
    """Write the value of a JSON column as text, as which statements take it; None as null."""
    return None if value is None else dumps(value).decode()


def from_json_text(text: ColumnElement[Any]) -> ColumnElement[Any]:
    """Convert what `json_text` wrote."""
    return cast(text, JSONB())


async def append_events(session: AsyncSession, events: Sequence[Mapping[str, Any]]) -> None:
    """Append events; their `seq` comes from the job rows, which this transaction has locked."""
    if events:
        await session.execute(insert(job_event_table), list(events))


class InOne(Enum):
    """What a statement does besides changing jobs.

    NOTHING: on Citus, where it would take ten times as long. EVENTS: it appends them. ALL: it
    notifies, too, where that is not left until after the commit.
    """

    NOTHING = "nothing"
    EVENTS = "events"
    ALL = "all"


async def change_with_events(
    session: AsyncSession,
    org_id: UUID,
    build: Build,
    *arguments: Any,
    detail: Callable[[UUID], JsonObject | None],
    ts: str = "updated_at",
) -> list[JobRow]:
    """Change jobs, append an event to each and notify; return the rows of `with_events`.

    `build` gets what one statement is to do, `org_id` and `arguments`. `detail` returns that of a
    job's event. `ts`: the column of the job that has the time of the event.
    """
    citus = await is_citus(session)
    later = has_notifier(session)
    in_one = InOne.NOTHING if citus else InOne.EVENTS if later else InOne.ALL
    statement = await prepare(session, build, in_one, org_id, *arguments)
    found = await statement.rows()
    if found and in_one is InOne.EVENTS:
        await notify(session, org_id)
    if citus and found:
        # The last column is the previous status.
        changed = row_type(statement.names)._make
        events = [_event(org_id, row, ts, detail(row.id)) for row in map(changed, found)]
        await append_events(session, events)
        await notify(session, org_id)
    make = row_type(statement.names[:-1])._make
    return [make(row[:-1]) for row in found]


def with_events(
    change: Update,
    before: ColumnElement[Any],
    columns: Collection[str],
    *,
    in_one: InOne,
    org_id: UUID,
    detail: ColumnElement[Any],
    ts: str = "updated_at",
) -> ClauseElement:
    """Complete an UPDATE of `job`, so that it does what `in_one` says as well.

    `before`: the previous status. `detail`: that of the event, as text. `ts`: the column of the job
    that has the time of the event. Rows have `columns`, `ts` and STATE_OF_EVENT, in the order of
    the table, and one more column.
    """
    kept = job_columns({*STATE_OF_EVENT, ts, *columns})
    if in_one is InOne.NOTHING:
        return change.returning(*kept, before.label("before"))
    changed = change.returning(
        *kept, before.label("before"), from_json_text(detail).label("detail")
    ).cte("changed")
    row = changed.c
    event = select(
        *(literal(org_id, Uuid()), row.id, row.event_seq, row[ts]),
        *(row.before, row.status, row.attempt, row.detail),
    )
    appended = insert(job_event_table).from_select(_EVENT_COLUMNS, event).cte("appended")
    if in_one is InOne.EVENTS:
        rows = select(*(row[column.name] for column in kept), row.before)
        return rows.select_from(changed).add_cte(appended)
    # A subquery of its own is run once, however many rows there are, and not at all without rows.
    notified = select(notification(org_id)).select_from(changed).limit(1).scalar_subquery()
    rows = select(*(row[column.name] for column in kept), notified.label("notified"))
    return rows.select_from(changed).add_cte(appended)


def _event(org_id: UUID, row: JobRow, ts: str, detail: JsonObject | None) -> dict[str, Any]:
    return {
        "org_id": org_id,
        "job_id": row.id,
        "seq": row.event_seq,
        "ts": getattr(row, ts),
        "prev_status": row.before,
        "next_status": row.status,
        "attempt": row.attempt,
        "detail": detail,
    }


async def record_event(
    session: AsyncSession,
    org_id: UUID,
    job_id: UUID,
    detail: JsonObject,
    *,
    now: datetime,
    author: JsonObject | None = None,
    progress: Progress | None = None,
    returning: Collection[str] = (),
) -> RecordedEvent | JobNotFound | ReadOnlyJob:
    """Append an event that does not change the job's status.

    `author`: what is added to the detail. Locks the job's row. The event's time is `now`, or the
    job's latest time if that is later. An event that has nothing but progress leaves `updated_at`
    as it is, so that no index changes. The row of a ReadOnlyJob has `returning`.
    """
    told = {} if progress is None else {PROGRESS: progress.detail}
    noted = {**detail, **told, **(author or {})}
    ts = "progress_at" if progress is not None and not detail else "updated_at"
    given = job_id, now, json_text(noted), progress, Ts(ts)
    rows = await change_with_events(session, org_id, _record, *given, detail=lambda _: noted, ts=ts)
    if rows:
        return RecordedEvent(job_id, rows[0].event_seq)
    found = await load_jobs_by_id(session, org_id, [job_id], {"source_id", *returning})
    return ReadOnlyJob(found[0]) if found else JobNotFound(job_id)


@dataclass(frozen=True, slots=True)
class Ts(Constant):
    """The name of the column that has the time of an event."""

    name: str


def _record(
    in_one: InOne,
    org_id: UUID,
    job_id: UUID,
    now: datetime,
    detail: str,
    progress: Progress | None,
    ts: Ts,
) -> ClauseElement:
    time = change_time(now)
    values: dict[str, Any] = {"event_seq": job.event_seq + 1, ts.name: time}
    if progress is not None:
        values |= {
            "progress_fraction": literal(progress.fraction, Double()),
            "progress_step": literal(progress.step, Text()),
            "progress_at": time,
        }
    own = job.org_id == org_id, job.id == job_id, job.source_id.is_(None)
    change = update(job_table).where(*own).values(values)
    text = literal(detail, Text())
    return with_events(
        change, job.status, (), in_one=in_one, org_id=org_id, detail=text, ts=ts.name
    )

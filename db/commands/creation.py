"""Writes of new jobs: all or none, and one job for one idempotency key."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, and_, cast, column, select, values
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.commands.comparison import Hide, equal_as_shown
from db.commands.events import append_events
from db.commands.notifications import notify
from db.database_errors import DatabaseUnavailableError
from db.ids import new_id
from db.queries.jobs import JobRow, job_columns
from db.queries.rows import read_all
from db.statuses import BackoffPolicy, JobStatus
from db.tables import job_table

job = job_table.c

# What makes two jobs of one key the same. Other columns change in a job's life.
SAME_INPUT = ("type", "queue", "priority", "backoff_policy", "requested_by", "payload")
# How often it is tried again for keys whose holders were deleted meanwhile.
TRIES = 5

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be created; `scheduled_at` is not to be started before."""

    type: str
    queue: str = "default"
    priority: int = 0
    max_attempts: int = 5
    backoff_policy: BackoffPolicy = BackoffPolicy.EXPONENTIAL
    idempotency_key: str | None = None
    requested_by: str | None = None
    payload: Any = None
    scheduled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Creation:
    """What came of one NewJob: its row, and whether it was created or had been there."""

    row: JobRow
    created: bool
    same_input: bool


async def create_jobs(
    session: AsyncSession,
    org_id: UUID,
    jobs: Sequence[NewJob],
    *,
    now: datetime,
    detail: Mapping[str, Any] | None = None,
    returning: Collection[str] = (),
    hide: Hide | None = None,
) -> list[Creation]:
    """Create jobs, each queued and with its first event, in the order given.

    A job whose idempotency key is taken is not created: its Creation has the row that holds the
    key, and says whether that was made of the same input (SAME_INPUT); with `hide`, of what that
    leaves of both payloads. Where another transaction is just creating one of the same key, waits
    for its end. Rows have `id` and `returning`. Raises DatabaseUnavailableError where others keep
    deleting the holders of its keys.
    """
    new = [_row(org_id, each, now) for each in jobs]
    compared = SAME_INPUT if hide is None else tuple(n for n in SAME_INPUT if n != "payload")
    found = await _create_or_find(session, org_id, new, {"id", *returning}, compared)
    if hide is not None:
        await _compare_as_shown(session, org_id, new, found, hide)
    created = [job_id for job_id, creation in found.items() if creation.created]
    if created:
        await append_events(session, [_event(org_id, job_id, now, detail) for job_id in created])
        await notify(session, org_id)
    return [found[row["id"]] for row in new]


async def _create_or_find(
    session: AsyncSession,
    org_id: UUID,
    new: Sequence[Row],
    columns: set[str],
    compared: Sequence[str],
) -> dict[UUID, Creation]:
    # In one order of keys for all writers: batches that share some wait, and never for each other.
    missing = sorted(new, key=lambda row: row["idempotency_key"] or "")
    found: dict[UUID, Creation] = {}
    for _ in range(TRIES):
        found |= await _insert(session, missing, columns)
        missing = [row for row in missing if row["id"] not in found]
        if missing:
            found |= await _holders(session, org_id, missing, columns, compared)
            # Who held a key may be deleted between the two statements: then the key is free.
            missing = [row for row in missing if row["id"] not in found]
        if not missing:
            return found
    raise DatabaseUnavailableError("Others keep deleting the jobs that hold these keys.")


async def _insert(
    session: AsyncSession, new: Sequence[Row], columns: set[str]
) -> dict[UUID, Creation]:
    """Create those whose keys are free."""
    statement = (
        insert(job_table)
        .on_conflict_do_nothing(
            index_elements=["org_id", "idempotency_key"],
            index_where=job.idempotency_key.is_not(None),
        )
        .returning(*job_columns(columns))
    )
    rows = (await session.execute(statement, list(new))).all()
    return {row.id: Creation(row, created=True, same_input=True) for row in rows}


async def _holders(
    session: AsyncSession,
    org_id: UUID,
    taken: Sequence[Row],
    columns: set[str],
    compared: Sequence[str],
) -> dict[UUID, Creation]:
    """Find the jobs that hold the keys, and let PostgreSQL compare their input."""
    wanted = values(
        column("wanted_id", Uuid()),
        *(column(name, job_table.c[name].type) for name in ("idempotency_key", *compared)),
        name="wanted",
    ).data([(row["id"], row["idempotency_key"], *(row[n] for n in compared)) for row in taken])
    # Cast, for a column of VALUES that is null in every row counts as text.
    same = and_(
        *(
            job_table.c[n].is_not_distinct_from(cast(wanted.c[n], job_table.c[n].type))
            for n in compared
        )
    )
    statement = (
        select(wanted.c.wanted_id, same.label("same_input"), *job_columns(columns))
        .select_from(wanted)
        .join(
            job_table,
            and_(job.org_id == org_id, job.idempotency_key == wanted.c.idempotency_key),
        )
    )
    rows = await read_all(session, statement)
    return {row.wanted_id: Creation(row, created=False, same_input=row.same_input) for row in rows}


async def _compare_as_shown(
    session: AsyncSession,
    org_id: UUID,
    new: Sequence[Row],
    found: dict[UUID, Creation],
    hide: Hide,
) -> None:
    """Let those of the same input be so only if their payloads, too, are the same as shown."""
    met = [row for row in new if not (it := found[row["id"]]).created and it.same_input]
    pairs = [(found[row["id"]].row.id, row["payload"]) for row in met]
    for row, equal in zip(met, await equal_as_shown(session, org_id, pairs, hide), strict=True):
        found[row["id"]] = replace(found[row["id"]], same_input=equal)


def _row(org_id: UUID, new: NewJob, now: datetime) -> dict[str, Any]:
    return {
        "org_id": org_id,
        "id": new_id(now),
        "type": new.type,
        "queue": new.queue,
        "status": JobStatus.QUEUED.value,
        "priority": new.priority,
        "max_attempts": new.max_attempts,
        "backoff_policy": new.backoff_policy.value,
        "idempotency_key": new.idempotency_key,
        "requested_by": new.requested_by,
        "payload": new.payload,
        "event_seq": 1,
        "created_at": now,
        "updated_at": now,
        "queued_at": now,
        "scheduled_at": new.scheduled_at,
    }


def _event(
    org_id: UUID, job_id: UUID, now: datetime, detail: Mapping[str, Any] | None
) -> dict[str, Any]:
    return {
        "org_id": org_id,
        "job_id": job_id,
        "seq": 1,
        "ts": now,
        "prev_status": None,
        "next_status": JobStatus.QUEUED.value,
        "attempt": 0,
        "detail": dict(detail) if detail else None,
    }

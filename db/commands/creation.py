"""Creation of jobs: one transaction, and one job per idempotency key."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, Uuid, and_, cast, column, or_, select, values
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.commands.comparison import Hide, visibly_equal
from db.commands.events import RESCHEDULED, append_events
from db.commands.notifications import notify
from db.database_errors import DatabaseUnavailableError
from db.ids import new_id
from db.job_defaults import (
    DEFAULT_BACKOFF_POLICY,
    DEFAULT_MAX_ATTEMPTS,
    DEFAULT_PRIORITY,
    DEFAULT_QUEUE,
)
from db.outcomes import CreatedJob, IdempotencyConflict, JobNotFound
from db.queries.jobs import job_columns, load_jobs_by_id
from db.queries.rows import read_all
from db.statuses import BackoffPolicy, JobStatus
from db.tables import job_event_table, job_table

job = job_table.c

# The columns that must be equal in two jobs with the same key; other columns change over time. Of
# the priority, which an operator may have changed, also the first one is compared.
SAME_INPUT = (
    "type",
    "queue",
    "priority",
    "backoff_policy",
    "requested_by",
    "payload",
    "parent_id",
    "batch",
    "tags",
)
# How often it is tried while jobs that hold the keys keep being deleted.
MAX_TRIES = 5

Row = Mapping[str, Any]
Creation = CreatedJob | IdempotencyConflict | JobNotFound


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to create; it is not due before `scheduled_at`. The order of tags does not matter."""

    type: str
    queue: str = DEFAULT_QUEUE
    priority: int = DEFAULT_PRIORITY
    max_attempts: int = DEFAULT_MAX_ATTEMPTS
    backoff_policy: BackoffPolicy = DEFAULT_BACKOFF_POLICY
    idempotency_key: str | None = None
    requested_by: str | None = None
    payload: Any = None
    scheduled_at: datetime | None = None
    parent_id: UUID | None = None
    batch: str | None = None
    tags: Sequence[str] = ()


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
    """Create queued jobs, each with its first event; the outcomes are in the order given.

    A job whose idempotency key is taken is not created: its outcome has the existing job, as a
    CreatedJob if that has the same input (SAME_INPUT), otherwise as an IdempotencyConflict. Nor is
    a job whose parent does not exist, unless its key is taken: its outcome is JobNotFound with the
    parent's id. With `hide`, payloads are compared without what it hides. Waits for concurrent
    transactions that create a job with the same key. Rows have `id` and `returning`. Raises
    DatabaseUnavailableError if the jobs that hold its keys keep being deleted.
    """
    new = [new_row(org_id, each, now) for each in jobs]
    compared = SAME_INPUT if hide is None else tuple(n for n in SAME_INPUT if n != "payload")
    columns = {"id", *returning}
    absent = await _absent_parents(session, org_id, new)
    lost = [row for row in new if row["parent_id"] in absent]
    rest = [row for row in new if row["parent_id"] not in absent] if lost else new
    outcomes = await _create_or_find(session, org_id, rest, columns, compared)
    if lost:
        outcomes |= {row["id"]: JobNotFound(row["parent_id"]) for row in lost}
        # A job may have been created before its parent was deleted.
        keyed = [row for row in lost if row["idempotency_key"] is not None]
        if keyed:
            outcomes |= await _find_existing(session, org_id, keyed, columns, compared)
    if hide is not None:
        await _compare_visible(session, org_id, new, outcomes, hide)
    created = [job_id for job_id, outcome in outcomes.items() if _is_new(outcome)]
    if created:
        await append_events(
            session, [first_event(org_id, job_id, now, detail) for job_id in created]
        )
        await notify(session, org_id)
    return [outcomes[row["id"]] for row in new]


async def _absent_parents(session: AsyncSession, org_id: UUID, new: Sequence[Row]) -> set[UUID]:
    wanted = {row["parent_id"] for row in new if row["parent_id"] is not None}
    if not wanted:
        return wanted
    found = await load_jobs_by_id(session, org_id, sorted(wanted), ())
    return wanted - {parent.id for parent in found}


async def _create_or_find(
    session: AsyncSession,
    org_id: UUID,
    new: Sequence[Row],
    columns: set[str],
    compared: Sequence[str],
) -> dict[UUID, Creation]:
    # All writers insert in the order of keys, so batches that share keys cannot deadlock.
    missing = sorted(new, key=lambda row: row["idempotency_key"] or "")
    outcomes: dict[UUID, Creation] = {}
    if not missing:
        return outcomes
    for _ in range(MAX_TRIES):
        outcomes |= await _insert(session, missing, columns)
        missing = [row for row in missing if row["id"] not in outcomes]
        if missing:
            outcomes |= await _find_existing(session, org_id, missing, columns, compared)
            # The job that held a key may have been deleted between the two statements.
            missing = [row for row in missing if row["id"] not in outcomes]
        if not missing:
            return outcomes
    raise DatabaseUnavailableError("The jobs that hold these keys keep being deleted.")


async def _insert(
    session: AsyncSession, new: Sequence[Row], columns: set[str]
) -> dict[UUID, Creation]:
    """Insert the jobs whose keys are free."""
    statement = (
        insert(job_table)
        .on_conflict_do_nothing(
            index_elements=["org_id", "idempotency_key"],
            index_where=job.idempotency_key.is_not(None),
        )
        .returning(*job_columns(columns))
    )
    rows = (await session.execute(statement, list(new))).all()
    return {row.id: CreatedJob(row, created=True) for row in rows}


async def _find_existing(
    session: AsyncSession,
    org_id: UUID,
    taken: Sequence[Row],
    columns: set[str],
    compared: Sequence[str],
) -> dict[UUID, Creation]:
    """Find the jobs that hold the keys, and compare their input in PostgreSQL."""
    wanted = values(
        column("wanted_id", Uuid()),
        *(column(name, job_table.c[name].type) for name in ("idempotency_key", *compared)),
        name="wanted",
    ).data([(row["id"], row["idempotency_key"], *(row[n] for n in compared)) for row in taken])
    # The cast is needed: a column of VALUES that is null in every row has the type text.
    same = {
        n: job_table.c[n].is_not_distinct_from(cast(wanted.c[n], job_table.c[n].type))
        for n in compared
    }
    was_same = _first_priority(org_id) == cast(wanted.c.priority, Text)
    same["priority"] = or_(same["priority"], was_same)
    statement = (
        select(wanted.c.wanted_id, and_(*same.values()).label("same_input"), *job_columns(columns))
        .select_from(wanted)
        .join(
            job_table,
            and_(job.org_id == org_id, job.idempotency_key == wanted.c.idempotency_key),
        )
    )
    rows = await read_all(session, statement)
    return {
        row.wanted_id: CreatedJob(row, created=False)
        if row.same_input
        else IdempotencyConflict(row)
        for row in rows
    }


def _first_priority(org_id: UUID) -> ColumnElement[str]:
    """Select the priority that the job had before it was rescheduled, as text.

    Null if it was not, or if its detail does not tell: any client may have written it.
    """
    event = job_event_table.c
    return (
        select(event.detail[RESCHEDULED]["from"]["priority"].astext)
        .where(event.org_id == org_id, event.job_id == job.id, event.detail.has_key(RESCHEDULED))
        .order_by(event.seq)
        .limit(1)
        .correlate(job_table)
        .scalar_subquery()
    )


async def _compare_visible(
    session: AsyncSession,
    org_id: UUID,
    new: Sequence[Row],
    outcomes: dict[UUID, Creation],
    hide: Hide,
) -> None:
    """Turn existing jobs whose visible payload differs into conflicts."""
    existing = [
        (row, outcome.job)
        for row in new
        if isinstance(outcome := outcomes[row["id"]], CreatedJob) and not outcome.created
    ]
    pairs = [(job_row.id, row["payload"]) for row, job_row in existing]
    equal = await visibly_equal(session, org_id, pairs, hide)
    for (row, job_row), is_equal in zip(existing, equal, strict=True):
        if not is_equal:
            outcomes[row["id"]] = IdempotencyConflict(job_row)


def _is_new(outcome: Creation) -> bool:
    return isinstance(outcome, CreatedJob) and outcome.created


def new_row(org_id: UUID, new: NewJob, now: datetime) -> dict[str, Any]:
    """Return the columns of a new job."""
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
        "parent_id": new.parent_id,
        "batch": new.batch,
        "tags": sorted(new.tags) or None,
    }


def first_event(
    org_id: UUID, job_id: UUID, now: datetime, detail: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the columns of the event that creates a job."""
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

"""Reads of `job_event`: pages over all jobs, and batches for many jobs in one statement."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Integer,
    Uuid,
    and_,
    column,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.selectable import LateralFromClause, TableValuedAlias

from db.criteria import JobEventCriteria
from db.queries.alternatives import event_ranges
from db.queries.counts import behind, count_all, count_first, probe, up_to
from db.queries.filters import Condition, event, event_conditions
from db.queries.keyset import (
    EVENTS_NEWEST_FIRST,
    Window,
    page,
    seek_behind,
)
from db.queries.rows import AnyRow, AnySelect, read, read_one
from db.tables import job_event_table

JobEventRow = AnyRow

# The column of `list_events` with the snapshot that the rows were read in.
SNAPSHOT = "snapshot"


async def list_events(
    session: AsyncSession,
    org_id: UUID,
    criteria: JobEventCriteria | None,
    window: Window,
    columns: Collection[str],
) -> Sequence[JobEventRow]:
    """List the window's events, in the window's direction. Rows have their key and `columns`.

    `columns` may include SNAPSHOT: the transaction's snapshot, as the driver reads `pg_snapshot`.
    """
    names = frozenset(columns)
    return await read(session, _page, org_id, criteria, window, names, most_rows=window.limit)


def _page(
    org_id: UUID, criteria: JobEventCriteria | None, window: Window, columns: frozenset[str]
) -> AnySelect:
    keys = {column.attribute for column in window.order.columns}
    wanted = _columns(keys.union(columns))
    if SNAPSHOT in columns:
        # A subquery is evaluated once, not for each row.
        wanted.append(select(func.pg_current_snapshot()).scalar_subquery().label(SNAPSHOT))
    statement = select(*wanted)
    return event_ranges(statement, org_id, criteria, lambda part: page(part, window)).page(window)


async def event_exists_behind(
    session: AsyncSession, org_id: UUID, criteria: JobEventCriteria | None, window: Window
) -> bool:
    """Return whether an event that meets the criteria is behind the window."""
    return await read_one(session, _behind, org_id, criteria, window) is not None


def _behind(org_id: UUID, criteria: JobEventCriteria | None, window: Window) -> AnySelect:
    return event_ranges(probe(job_event_table), org_id, criteria, behind(window)).first(1)


async def count_events(
    session: AsyncSession, org_id: UUID, criteria: JobEventCriteria | None, at_most: int | None
) -> int:
    """Count the events that meet the criteria; with `at_most`, stop at `at_most` + 1."""
    most = None if at_most is None else at_most + 1
    counted: int = await read_one(session, _count, org_id, criteria, most)
    return counted


def _count(org_id: UUID, criteria: JobEventCriteria | None, most: int | None) -> AnySelect:
    if most is None:
        return count_all(job_event_table, event_conditions(org_id, criteria))
    cut = up_to(most, EVENTS_NEWEST_FIRST)
    return count_first(event_ranges(probe(job_event_table), org_id, criteria, cut), most)


async def load_events_by_job(
    session: AsyncSession,
    org_id: UUID,
    job_ids: Sequence[UUID],
    window: Window,
    columns: Collection[str],
) -> Sequence[JobEventRow]:
    """Load the window's events of each job, in the window's direction; jobs are unordered.

    Reads each job's window from the primary key, and nothing beyond it.
    """
    ids = list(job_ids)
    most_rows = len(ids) * window.limit
    names = frozenset(columns)
    return await read(session, _of_jobs, org_id, ids, window, names, most_rows=most_rows)


def _of_jobs(
    org_id: UUID, job_ids: Sequence[UUID], window: Window, columns: frozenset[str]
) -> AnySelect:
    wanted = select(*_columns({"job_id", "seq"}.union(columns)))
    joined, events = _for_each_job(org_id, job_ids, page(wanted, window))
    return select(events).select_from(joined)


async def load_events_by_id(
    session: AsyncSession,
    org_id: UUID,
    ids: Sequence[tuple[UUID, int]],
    columns: Collection[str],
) -> Sequence[JobEventRow]:
    """Load the existing events of these (job id, seq) pairs, unordered."""
    job_ids: list[UUID] = [job_id for job_id, _ in ids]
    seqs: list[int] = [seq for _, seq in ids]
    names = frozenset(columns)
    return await read(session, _by_id, org_id, job_ids, seqs, names, most_rows=len(ids))


def _by_id(
    org_id: UUID, job_ids: Sequence[UUID], seqs: Sequence[int], columns: frozenset[str]
) -> AnySelect:
    pairs = (
        func.unnest(literal(job_ids, ARRAY(Uuid())), literal(seqs, ARRAY(Integer())))
        .table_valued(column("job_id", Uuid()), column("seq", Integer()), name="wanted")
        .render_derived()
    )
    keys = event.job_id == pairs.c.job_id, event.seq == pairs.c.seq
    return (
        select(*_columns({"job_id", "seq"}.union(columns)))
        .select_from(pairs)
        .join(job_event_table, and_(event.org_id == org_id, *keys))
    )


async def job_has_events_behind(
    session: AsyncSession, org_id: UUID, job_ids: Sequence[UUID], window: Window
) -> set[UUID]:
    """Return which of the jobs have events behind the window."""
    rows = await read(session, _jobs_with_events_behind, org_id, list(job_ids), window)
    return {row.job_id for row in rows}


def _jobs_with_events_behind(org_id: UUID, job_ids: Sequence[UUID], window: Window) -> AnySelect:
    behind = seek_behind(select(event.job_id), window).limit(1)
    joined, events = _for_each_job(org_id, job_ids, behind)
    return select(events).select_from(joined)


async def count_events_by_job(
    session: AsyncSession, org_id: UUID, job_ids: Sequence[UUID], at_most: int | None
) -> dict[UUID, int]:
    """Count the events of each job, up to `at_most` + 1; jobs without events are omitted."""
    most = None if at_most is None else at_most + 1
    rows = await read(session, _counts_by_job, org_id, list(job_ids), most)
    return {row.job_id: row.events for row in rows}


def _counts_by_job(org_id: UUID, job_ids: Sequence[UUID], most: int | None) -> AnySelect:
    limit = None if most is None else literal(most, BigInteger())
    joined, events = _for_each_job(org_id, job_ids, select(event.job_id).limit(limit))
    counted = select(events.c.job_id, func.count().label("events"))
    return counted.select_from(joined).group_by(events.c.job_id)


def _for_each_job(
    org_id: UUID, job_ids: Sequence[UUID], of_one: AnySelect
) -> tuple[Any, LateralFromClause]:
    """Join jobs with `of_one`, a statement over the events of one job."""
    jobs = wanted_jobs(job_ids)
    events = of_one.where(of_job(org_id, jobs)).lateral("events")
    return jobs.join(events, true()), events


def wanted_jobs(job_ids: Sequence[UUID]) -> TableValuedAlias:
    """Return a table of the column `id`."""
    return (
        func.unnest(literal(job_ids, ARRAY(Uuid())))
        .table_valued(column("id", Uuid()), name="wanted")
        .render_derived()
    )


def of_job(org_id: UUID, jobs: TableValuedAlias) -> Condition:
    """Match the events of a job of `wanted_jobs`, in a lateral subquery."""
    # The organisation is a parameter, not a column of the outer row: Citus then uses one shard.
    return and_(event.org_id == org_id, event.job_id == jobs.c.id)


def _columns(names: Collection[str]) -> list[Any]:
    return [column for column in job_event_table.c if column.name in names]

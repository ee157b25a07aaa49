"""Reads of `job_event`: pages over all jobs, and batches for many jobs in one statement."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
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

from db.criteria import JobEventCriteria
from db.queries.counts import count, exists_behind
from db.queries.filters import event, event_conditions
from db.queries.keyset import (
    EVENTS_NEWEST_FIRST,
    Window,
    page,
    seek_behind,
)
from db.queries.rows import AnyRow, AnySelect, read_all
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
    keys = {column.attribute for column in window.order.columns}
    wanted = _columns(keys.union(columns))
    if SNAPSHOT in columns:
        # A subquery is evaluated once, not for each row.
        wanted.append(select(func.pg_current_snapshot()).scalar_subquery().label(SNAPSHOT))
    statement = select(*wanted).where(event_conditions(org_id, criteria))
    return await read_all(session, page(statement, window), window.limit)


async def event_exists_behind(
    session: AsyncSession, org_id: UUID, criteria: JobEventCriteria | None, window: Window
) -> bool:
    """Return whether an event that meets the criteria is behind the window."""
    statement = exists_behind(job_event_table, event_conditions(org_id, criteria), window)
    return (await session.execute(statement)).first() is not None


async def count_events(
    session: AsyncSession, org_id: UUID, criteria: JobEventCriteria | None, at_most: int | None
) -> int:
    """Count the events that meet the criteria; with `at_most`, stop at `at_most` + 1."""
    statement = count(
        job_event_table, event_conditions(org_id, criteria), at_most, EVENTS_NEWEST_FIRST
    )
    return (await session.execute(statement)).scalar_one()


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
    wanted = select(*_columns({"job_id", "seq"}.union(columns)))
    most_rows = len(job_ids) * window.limit
    return await _for_each_job(session, org_id, job_ids, page(wanted, window), most_rows)


async def load_events_by_id(
    session: AsyncSession,
    org_id: UUID,
    ids: Sequence[tuple[UUID, int]],
    columns: Collection[str],
) -> Sequence[JobEventRow]:
    """Load the existing events of these (job id, seq) pairs, unordered."""
    job_ids = literal([job_id for job_id, _ in ids], ARRAY(Uuid()))
    seqs = literal([seq for _, seq in ids], ARRAY(Integer()))
    pairs = (
        func.unnest(job_ids, seqs)
        .table_valued(column("job_id", Uuid()), column("seq", Integer()), name="wanted")
        .render_derived()
    )
    statement = (
        select(*_columns({"job_id", "seq"}.union(columns)))
        .select_from(pairs)
        .join(
            job_event_table,
            and_(
                event.org_id == org_id,
                event.job_id == pairs.c.job_id,
                event.seq == pairs.c.seq,
            ),
        )
    )
    return await read_all(session, statement, len(ids))


async def job_has_events_behind(
    session: AsyncSession, org_id: UUID, job_ids: Sequence[UUID], window: Window
) -> set[UUID]:
    """Return which of the jobs have events behind the window."""
    behind = seek_behind(select(event.job_id), window).limit(1)
    return {row.job_id for row in await _for_each_job(session, org_id, job_ids, behind)}


async def count_events_by_job(
    session: AsyncSession, org_id: UUID, job_ids: Sequence[UUID], at_most: int | None
) -> dict[UUID, int]:
    """Count the events of each job, up to `at_most` + 1; jobs without events are omitted."""
    limit = None if at_most is None else at_most + 1
    rows = await _for_each_job(
        session, org_id, job_ids, select(event.job_id).limit(limit), aggregated=True
    )
    return {row.job_id: row.events for row in rows}


async def _for_each_job(
    session: AsyncSession,
    org_id: UUID,
    job_ids: Sequence[UUID],
    of_one: AnySelect,
    most_rows: int | None = None,
    *,
    aggregated: bool = False,
) -> Sequence[AnyRow]:
    """Run `of_one`, a statement over the events of one job, for all jobs in one statement."""
    jobs = (
        func.unnest(literal(list(job_ids), ARRAY(Uuid())))
        .table_valued(column("id", Uuid()), name="wanted")
        .render_derived()
    )
    # The organisation is a parameter, not a column of the outer row: Citus then uses one shard.
    lateral = of_one.where(event.org_id == org_id, event.job_id == jobs.c.id).lateral("events")
    joined = jobs.join(lateral, true())
    if aggregated:
        counted = select(lateral.c.job_id, func.count().label("events"))
        statement: AnySelect = counted.select_from(joined).group_by(lateral.c.job_id)
    else:
        statement = select(lateral).select_from(joined)
    return await read_all(session, statement, most_rows)


def _columns(names: Collection[str]) -> list[Any]:
    return [column for column in job_event_table.c if column.name in names]

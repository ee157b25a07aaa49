"""Reads of `job_event`: pages over all jobs, and the events of many jobs in one statement each."""

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
from db.queries.filters import event, event_conditions, is_any
from db.queries.keyset import (
    EVENTS_NEWEST_FIRST,
    Window,
    page,
    seek_behind,
)
from db.queries.rows import AnyRow, AnySelect, read_all
from db.tables import job_event_table

JobEventRow = AnyRow

# The name under which `list_events` gets, with each row, the snapshot that it was read in.
SNAPSHOT = "snapshot"


async def list_events(
    session: AsyncSession,
    org_id: UUID,
    criteria: JobEventCriteria | None,
    window: Window,
    columns: Collection[str],
) -> Sequence[JobEventRow]:
    """List the window's events in the direction of travel. Rows have their key and `columns`.

    SNAPSHOT among the columns: the snapshot of the transaction, as the driver has `pg_snapshot`.
    """
    keys = {part.attribute for part in window.order.parts}
    wanted = _columns(keys.union(columns))
    if SNAPSHOT in columns:
        # A subquery, so that it is made once and not for each row.
        wanted.append(select(func.pg_current_snapshot()).scalar_subquery().label(SNAPSHOT))
    statement = select(*wanted).where(event_conditions(org_id, criteria))
    return await read_all(session, page(statement, window))


async def event_exists_behind(
    session: AsyncSession, org_id: UUID, criteria: JobEventCriteria | None, window: Window
) -> bool:
    """Tell whether the window leaves an event that meets the criteria behind it."""
    statement = exists_behind(job_event_table, event_conditions(org_id, criteria), window)
    return (await session.execute(statement)).first() is not None


async def count_events(
    session: AsyncSession, org_id: UUID, criteria: JobEventCriteria | None, at_most: int | None
) -> int:
    """Count the events that meet the criteria; stop after `at_most` + 1 where that is given."""
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
    """Load the window's events of each job, in the direction of travel, jobs in no order.

    PostgreSQL cuts each job's window out of the primary key: what lies beyond is not read.
    """
    wanted = select(*_columns({"job_id", "seq"}.union(columns)))
    return await _for_each_job(session, org_id, job_ids, page(wanted, window))


async def load_events_by_id(
    session: AsyncSession,
    org_id: UUID,
    ids: Sequence[tuple[UUID, int]],
    columns: Collection[str],
) -> Sequence[JobEventRow]:
    """Load the events of these (job id, seq) pairs that exist, in no order."""
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
    return await read_all(session, statement)


async def job_has_events_behind(
    session: AsyncSession, org_id: UUID, job_ids: Sequence[UUID], window: Window
) -> set[UUID]:
    """Tell which of the jobs have events that the window leaves behind it."""
    behind = seek_behind(select(event.job_id), window).limit(1)
    return {row.job_id for row in await _for_each_job(session, org_id, job_ids, behind)}


async def count_events_by_job(
    session: AsyncSession, org_id: UUID, job_ids: Sequence[UUID], at_most: int | None
) -> dict[UUID, int]:
    """Count the events of each job, up to `at_most` + 1; a job without any is left out."""
    limit = None if at_most is None else at_most + 1
    rows = await _for_each_job(
        session, org_id, job_ids, select(event.job_id).limit(limit), aggregated=True
    )
    return {row.job_id: row.events for row in rows}


async def load_transitions_by_job(
    session: AsyncSession, org_id: UUID, job_ids: Sequence[UUID]
) -> Sequence[JobEventRow]:
    """Load each job's changes of status, by job and `seq`.

    Of the detail only `error_code` and `error_message` are read, as JSON.
    """
    statement = (
        select(
            event.job_id,
            event.ts,
            event.prev_status,
            event.next_status,
            event.attempt,
            event.detail["error_code"].label("error_code"),
            event.detail["error_message"].label("error_message"),
        )
        .where(
            event.org_id == org_id,
            is_any(event.job_id, job_ids, Uuid()),
            event.prev_status.is_distinct_from(event.next_status),
        )
        .order_by(event.job_id, event.seq)
    )
    return await read_all(session, statement)


async def _for_each_job(
    session: AsyncSession,
    org_id: UUID,
    job_ids: Sequence[UUID],
    of_one: AnySelect,
    *,
    aggregated: bool = False,
) -> Sequence[AnyRow]:
    """Run `of_one`, a statement over the events of one job, for each job, in one statement."""
    jobs = (
        func.unnest(literal(list(job_ids), ARRAY(Uuid())))
        .table_valued(column("id", Uuid()), name="wanted")
        .render_derived()
    )
    # The organisation is bound, not taken from the outer row: that would go to every shard.
    lateral = of_one.where(event.org_id == org_id, event.job_id == jobs.c.id).lateral("found")
    joined = jobs.join(lateral, true())
    if aggregated:
        counted = select(lateral.c.job_id, func.count().label("events"))
        statement: AnySelect = counted.select_from(joined).group_by(lateral.c.job_id)
    else:
        statement = select(lateral).select_from(joined)
    return await read_all(session, statement)


def _columns(names: Collection[str]) -> list[Any]:
    return [column for column in job_event_table.c if column.name in names]

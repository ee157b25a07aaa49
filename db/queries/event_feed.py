"""Reads of new events for subscriptions, by snapshots or by times, and their filtering."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Uuid,
    and_,
    column,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    table,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.selectable import TableValuedAlias

from db.criteria import JobEventCriteria
from db.error_groups.occurrences import single_occurrences
from db.queries.events import JobEventRow
from db.queries.filters import Condition, event, event_conditions, is_any
from db.queries.rows import AnyRow, read_all
from db.snapshots import Snapshot
from db.tables import Timestamp, Xid8, job_event_table

EventKey = tuple[UUID, int]
KEY_COLUMNS = frozenset({"ts", "job_id", "seq", "xid"})


@dataclass(frozen=True, slots=True)
class Unseen:
    """Selects the events that `seen` does not see.

    `cut`: only events of this transaction (xid, job id, seq) after this one. `until`: only events
    that this snapshot sees.
    """

    seen: Snapshot
    cut: tuple[int, UUID, int] | None = None
    until: Snapshot | None = None


async def get_time(session: AsyncSession) -> datetime:
    """Get the start time of the transaction by the database's clock.

    It precedes the snapshot, so a commit after this time may or may not be visible.
    """
    return (await session.execute(select(func.now()))).scalar_one()


async def get_snapshot(session: AsyncSession) -> Snapshot:
    """Get the snapshot of the transaction."""
    return Snapshot.of((await session.execute(select(func.pg_current_snapshot()))).scalar_one())


async def has_own_transaction_ids(session: AsyncSession, org_id: UUID) -> bool:
    """Return whether the transaction ids of the organisation's events fit this server's snapshots.

    They do not on Citus, where each node has its own ids, nor for events restored from a server
    whose ids were ahead of this one's.
    """
    # pg_catalog comes first in any search path, so the name needs no schema.
    extension = table("pg_extension", column("extname"))
    statement = select(
        not_(exists().where(extension.c.extname == "citus").select_from(extension)),
        select(event.xid)
        .where(event.org_id == org_id, event.xid.is_not(None))
        .order_by(event.xid.desc())
        .limit(1)
        .scalar_subquery(),
        func.pg_current_snapshot(),
    )
    one_counter, newest, snapshot = (await session.execute(statement)).one()
    return one_counter and (newest is None or newest < Snapshot.of(snapshot).xmax)


async def list_unseen_events(
    session: AsyncSession,
    org_id: UUID,
    unseen: Unseen,
    *,
    limit: int,
    criteria: JobEventCriteria | None = None,
    columns: Collection[str] = (),
) -> tuple[Snapshot, Sequence[JobEventRow]]:
    """List the first `limit` unseen events that meet the criteria, by `xid`, then by key.

    Also returns the snapshot that they were read in. Reads one range of the index on `xid`, and one
    entry for each transaction that was running.
    """
    conditions = event_conditions(org_id, criteria), *_bounds(unseen.until)
    wanted = select(*_columns(columns)).where(*conditions)
    selects = [
        wanted.where(range_).order_by(*_transaction_order()).limit(limit).subquery()
        for range_ in _ranges(unseen)
    ]
    unseen_rows = union_all(*(select(each) for each in selects)).subquery("unseen")
    current = select(func.pg_current_snapshot().label("snapshot")).subquery("current_snapshot")
    statement = (
        select(current.c.snapshot, unseen_rows)
        .select_from(current.outerjoin(unseen_rows, true()))
        .order_by(unseen_rows.c.xid, unseen_rows.c.job_id, unseen_rows.c.seq)
        .limit(limit)
    )
    rows = await read_all(session, statement)
    return Snapshot.of(rows[0].snapshot), [row for row in rows if row.xid is not None]


async def list_unseen_before(
    session: AsyncSession,
    org_id: UUID,
    seen: Snapshot,
    keys: Sequence[EventKey],
    *,
    criteria: JobEventCriteria | None = None,
    columns: Collection[str] = (),
) -> Sequence[JobEventRow]:
    """List the unseen events that precede these keys in their jobs, unordered."""
    pairs = _pairs(keys)
    earlier = and_(event.org_id == org_id, event.job_id == pairs.c.job_id, event.seq < pairs.c.seq)
    statement = (
        select(*_columns(columns))
        .select_from(pairs)
        .join(job_event_table, earlier)
        .where(event_conditions(org_id, criteria), or_(*_ranges(Unseen(seen))))
    )
    return await read_all(session, statement)


async def list_event_keys(
    session: AsyncSession, org_id: UUID, since: datetime, job_ids: Sequence[UUID] | None = None
) -> Sequence[AnyRow]:
    """List `ts`, `job_id` and `seq` of the events since a time, in this order.

    Without `job_ids` it reads one index range and no table rows.
    """
    statement = select(event.ts, event.job_id, event.seq).where(
        event.org_id == org_id, event.ts >= literal(since, Timestamp)
    )
    if job_ids is not None:
        statement = statement.where(is_any(event.job_id, job_ids, Uuid()))
    return await read_all(session, statement.order_by(event.ts, event.job_id, event.seq))


async def filter_event_keys(
    session: AsyncSession, org_id: UUID, keys: Sequence[EventKey], criteria: JobEventCriteria
) -> set[EventKey]:
    """Return which of these events meet the criteria; jobs are matched in their current state."""
    pairs = _pairs(keys)
    statement = (
        select(event.job_id, event.seq)
        .select_from(pairs)
        .join(
            job_event_table,
            and_(event.org_id == org_id, event.job_id == pairs.c.job_id, event.seq == pairs.c.seq),
        )
        .where(event_conditions(org_id, criteria))
    )
    return {(row.job_id, row.seq) for row in await read_all(session, statement)}


async def list_errors(
    session: AsyncSession, org_id: UUID, keys: Sequence[EventKey]
) -> Sequence[AnyRow]:
    """List those of these events that end a run with an error, unordered."""
    pairs = _pairs(keys)
    of_keys = event.job_id == pairs.c.job_id, event.seq == pairs.c.seq
    return await read_all(session, single_occurrences(org_id, event, *of_keys))


def _columns(names: Collection[str]) -> list[Any]:
    wanted = KEY_COLUMNS.union(names)
    return [each for each in job_event_table.c if each.name in wanted]


def _transaction_order() -> tuple[ColumnElement[Any], ...]:
    return event.xid, event.job_id, event.seq


def _ranges(unseen: Unseen) -> list[Condition]:
    if unseen.cut is not None:
        xid, job_id, seq = unseen.cut
        key = tuple_(literal(job_id, Uuid()), literal(seq, Integer()))
        return [and_(event.xid == literal(xid, Xid8()), tuple_(event.job_id, event.seq) > key)]
    return [
        event.xid >= literal(unseen.seen.xmax, Xid8()),
        is_any(event.xid, unseen.seen.running, Xid8()),
    ]


def _bounds(until: Snapshot | None) -> list[Condition]:
    if until is None:
        return []
    running = is_any(event.xid, until.running, Xid8())
    return [event.xid < literal(until.xmax, Xid8()), not_(running)]


def _pairs(keys: Sequence[EventKey]) -> TableValuedAlias:
    job_ids = literal([job_id for job_id, _ in keys], ARRAY(Uuid()))
    seqs = literal([seq for _, seq in keys], ARRAY(Integer()))
    return (
        func.unnest(job_ids, seqs)
        .table_valued(column("job_id", Uuid()), column("seq", Integer()), name="wanted")
        .render_derived()
    )

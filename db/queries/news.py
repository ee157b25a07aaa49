"""What is new in an organisation's ledger: the keys of recent events, and which meet a filter."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Uuid, and_, column, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.selectable import TableValuedAlias

from db.criteria import JobEventCriteria
from db.queries.events import JobEventRow
from db.queries.filters import Condition, event, event_conditions, is_any
from db.queries.rows import AnyRow, read_all
from db.tables import Timestamp, job_event_table

EventKey = tuple[UUID, int]


async def get_time(session: AsyncSession) -> datetime:
    """Get the time at which the transaction began, by the database's clock.

    That is before its snapshot was taken: what commits later than this may still be missing in it.
    """
    return (await session.execute(select(func.now()))).scalar_one()


async def list_event_keys(
    session: AsyncSession, org_id: UUID, since: datetime, job_ids: Sequence[UUID] | None = None
) -> Sequence[AnyRow]:
    """List `ts`, `job_id` and `seq` of the events since a time, of all jobs or of these.

    They come in this order. Of all jobs, it reads one range of the index on it, and no table.
    """
    statement = select(event.ts, event.job_id, event.seq).where(
        event.org_id == org_id, event.ts >= literal(since, Timestamp)
    )
    if job_ids is not None:
        statement = statement.where(is_any(event.job_id, job_ids, Uuid()))
    return await read_all(session, statement.order_by(event.ts, event.job_id, event.seq))


async def load_events_by_key(
    session: AsyncSession, org_id: UUID, keys: Sequence[EventKey], columns: Collection[str]
) -> dict[EventKey, JobEventRow]:
    """Load the events of these keys that exist. Rows have `ts`, `job_id`, `seq` and `columns`."""
    names = {"ts", "job_id", "seq", *columns}
    pairs = _pairs(keys)
    statement = (
        select(*(each for each in job_event_table.c if each.name in names))
        .select_from(pairs)
        .join(job_event_table, _is_pair(org_id, pairs))
    )
    return {(row.job_id, row.seq): row for row in await read_all(session, statement)}


async def filter_event_keys(
    session: AsyncSession, org_id: UUID, keys: Sequence[EventKey], criteria: JobEventCriteria
) -> set[EventKey]:
    """Tell which of these events meet the criteria, its conditions on jobs as they are now."""
    pairs = _pairs(keys)
    statement = (
        select(event.job_id, event.seq)
        .select_from(pairs)
        .join(job_event_table, _is_pair(org_id, pairs))
        .where(event_conditions(org_id, criteria))
    )
    return {(row.job_id, row.seq) for row in await read_all(session, statement)}


def _pairs(keys: Sequence[EventKey]) -> TableValuedAlias:
    job_ids = literal([job_id for job_id, _ in keys], ARRAY(Uuid()))
    seqs = literal([seq for _, seq in keys], ARRAY(Integer()))
    return (
        func.unnest(job_ids, seqs)
        .table_valued(column("job_id", Uuid()), column("seq", Integer()), name="wanted")
        .render_derived()
    )


def _is_pair(org_id: UUID, pairs: TableValuedAlias) -> Condition:
    return and_(event.org_id == org_id, event.job_id == pairs.c.job_id, event.seq == pairs.c.seq)

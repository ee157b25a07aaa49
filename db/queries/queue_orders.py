"""The order in which the due jobs of each queue are handed out; that of all is db.queries.due_jobs.

Two indexes have this order: of the jobs that are due at once, and of those with a time.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Text,
    Uuid,
    column,
    false,
    func,
    literal,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import FunctionFilter
from sqlalchemy.sql.selectable import LateralFromClause, Subquery, TableValuedAlias

from db.criteria import JobCriteria
from db.queries.filters import Condition, job, job_conditions
from db.queries.rows import AnyRow, AnySelect, read
from db.statuses import JobStatus
from db.tables import Timestamp, job_table

QueueOrderRow = AnyRow

_ONE: ColumnElement[int] = literal_column("1")


async def load_queue_orders(
    session: AsyncSession,
    org_id: UUID,
    queues: Sequence[str],
    job_ids: Sequence[UUID],
    *,
    now: datetime,
    most: int,
) -> Sequence[QueueOrderRow]:
    """Load the beginning of the order of each queue; those without queued jobs are omitted.

    Reads the first `most` jobs without a time, and the first `most` with one, due or not. Rows
    have, of these: the numbers `due`, `timed` (with a time), `timed_due` and `later` (not due yet);
    of due ones the earliest `oldest_due_at`, and the `next_due_at` of the first, `is_next_certain`;
    and lists of those that `job_ids` name and are due: `ids`, `places` in the order, from 1, and
    `are_certain`: that no job with a time was left out before it.
    """
    return await read(session, _orders, org_id, list(queues), list(job_ids), now, most)


def _orders(
    org_id: UUID, queues: Sequence[str], job_ids: Sequence[UUID], now: datetime, most: int
) -> AnySelect:
    places = _places(org_id, queues, now, most)
    asked = _list("asked", job_ids, Uuid())
    entry, is_asked = places.c, asked.c.value.is_not(None)
    is_next = entry.is_due, entry.place == _ONE
    return (
        select(
            entry.queue,
            _count(entry.is_due).label("due"),
            _count(entry.is_timed).label("timed"),
            _count(entry.is_timed, entry.is_due).label("timed_due"),
            _count(~entry.is_due).label("later"),
            func.min(entry.due_at).filter(entry.is_due).label("oldest_due_at"),
            func.min(entry.due_at).filter(*is_next).label("next_due_at"),
            func.bool_and(entry.is_certain).filter(*is_next).label("is_next_certain"),
            *(
                func.array_agg(each).filter(is_asked, entry.is_due).label(name)
                for name, each in (
                    ("ids", entry.id),
                    ("places", entry.place),
                    ("are_certain", entry.is_certain),
                )
            ),
        )
        .select_from(places.outerjoin(asked, asked.c.value == entry.id))
        .group_by(entry.queue)
    )


def _places(org_id: UUID, queues: Sequence[str], now: datetime, most: int) -> Subquery:
    """Give the first jobs of each queue their places."""
    queue = _list("queue", queues, Text())
    first = _first(org_id, queue.c.value, now, most)
    # All of them in one order, of numbers: sorting by names takes as long as all the rest.
    of_queue, order = queue.c.number, (first.c.priority.desc(), first.c.id)
    # Up to the last job with a time that was read. If none was left out, all are certain.
    is_followed = func.bool_or(first.c.is_timed).over(
        partition_by=of_queue, order_by=order, rows=(0, None)
    )
    timed = func.count().filter(first.c.is_timed).over(partition_by=of_queue)
    place = _count(first.c.is_due).over(partition_by=of_queue, order_by=order, rows=(None, 0))
    return (
        select(
            queue.c.value.label("queue"),
            *first.c,
            place.label("place"),
            (is_followed | (timed < literal(most, BigInteger()))).label("is_certain"),
        )
        .select_from(queue.join(first, true()))
        .subquery("places")
    )


def _first(org_id: UUID, queue: ColumnElement[str], now: datetime, most: int) -> LateralFromClause:
    at = literal(now, Timestamp)
    own = job_conditions(org_id, JobCriteria(status=[JobStatus.QUEUED])), job.queue == queue
    due_at = func.greatest(job.queued_at, job.scheduled_at)
    parts: list[Select[*tuple[Any, ...]]] = [
        _columns(job.queued_at, true(), false()).where(*own, job.scheduled_at.is_(None)),
        _columns(due_at, job.scheduled_at <= at, true()).where(*own, job.scheduled_at.is_not(None)),
    ]
    limit = literal(most, BigInteger())
    cut = (each.order_by(job.priority.desc(), job.id).limit(limit).subquery() for each in parts)
    return union_all(*map(select, cut)).lateral("first")


def _columns(due_at: Any, is_due: Condition, is_timed: Condition) -> Select[*tuple[Any, ...]]:
    return select(
        job.priority,
        job.id,
        due_at.label("due_at"),
        is_due.label("is_due"),
        is_timed.label("is_timed"),
    ).correlate_except(job_table)


def _count(*conditions: Condition) -> FunctionFilter[int]:
    return func.count().filter(*conditions)


def _list(name: str, values: Sequence[Any], type_: Any) -> TableValuedAlias:
    return (
        func.unnest(literal(values, ARRAY(type_)))
        .table_valued(column("value", type_), with_ordinality="number", name=name)
        .render_derived()
    )

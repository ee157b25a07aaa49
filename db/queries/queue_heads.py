"""How many jobs of each queue wait, and which one goes next: the beginning of its order.

The places of single jobs in it are those of db.queries.queue_orders, which has to sort them.
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
    and_,
    case,
    column,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JobCriteria
from db.queries.filters import Condition, job, job_conditions
from db.queries.rows import AnyRow, AnySelect, read
from db.statuses import JobStatus
from db.tables import Timestamp, job_table

QueueHeadRow = AnyRow


async def load_queue_heads(
    session: AsyncSession, org_id: UUID, queues: Sequence[str], *, now: datetime, most: int
) -> Sequence[QueueHeadRow]:
    """Load what waits in each queue.

    Reads the first `most` jobs without a time, and the first `most` with one, due or not. Rows
    have, of these: the numbers `due`, `timed` (with a time) and `later` (not due yet); of due ones
    the earliest `oldest_due_at`, and the `next_due_at` of the first, `is_next_certain`: whether no
    job with a time was left out before it.
    """
    return await read(session, _heads, org_id, list(queues), now, most)


def _heads(org_id: UUID, queues: Sequence[str], now: datetime, most: int) -> AnySelect:
    queue = (
        func.unnest(literal(queues, ARRAY(Text())))
        .table_valued(column("value", Text()), name="queue")
        .render_derived()
    )
    limit = literal(most, BigInteger())
    # Two indexes have the order: of the jobs that are due at once, and of those with a time.
    untimed = _queued(org_id, queue.c.value, job.scheduled_at.is_(None), now)
    timed = _queued(org_id, queue.c.value, job.scheduled_at.is_not(None), now)
    of_untimed = _summed(untimed, limit, "of_untimed")
    of_timed = _summed(timed, limit, "of_timed")
    first = untimed.limit(literal_column("1")).lateral("first")
    read_timed = timed.limit(limit).subquery().c
    in_order = read_timed.priority.desc(), read_timed.id
    first_timed = (
        select(*read_timed).where(read_timed.is_due).order_by(*in_order).limit(1)
    ).lateral("first_timed")
    last_timed = (
        select(*read_timed).order_by(read_timed.priority, read_timed.id.desc()).limit(1)
    ).lateral("last_timed")
    goes_first = and_(
        first.c.id.is_not(None),
        or_(first_timed.c.id.is_(None), _is_before(first.c, first_timed.c)),
    )
    is_followed = and_(last_timed.c.id.is_not(None), _is_before(first.c, last_timed.c))
    rows = queue.join(of_untimed, true()).join(of_timed, true())
    for each in (first, first_timed, last_timed):
        rows = rows.outerjoin(each, true())
    return select(
        queue.c.value.label("queue"),
        (of_untimed.c.due + of_timed.c.due).label("due"),
        of_timed.c.jobs.label("timed"),
        (of_timed.c.jobs - of_timed.c.due).label("later"),
        func.least(of_untimed.c.oldest, of_timed.c.oldest).label("oldest_due_at"),
        case((goes_first, first.c.due_at), else_=first_timed.c.due_at).label("next_due_at"),
        or_(~goes_first, of_timed.c.jobs < limit, is_followed).label("is_next_certain"),
    ).select_from(rows)


def _queued(
    org_id: UUID, queue: ColumnElement[str], has_time: Condition, now: datetime
) -> Select[*tuple[Any, ...]]:
    """Select the queued jobs of a queue, in the order in which they are handed out."""
    at = literal(now, Timestamp)
    return (
        select(
            job.priority,
            job.id,
            func.greatest(job.queued_at, job.scheduled_at).label("due_at"),
            func.coalesce(job.scheduled_at <= at, true()).label("is_due"),
        )
        .where(job_conditions(org_id, JobCriteria(status=[JobStatus.QUEUED])), job.queue == queue)
        .where(has_time)
        .order_by(job.priority.desc(), job.id)
        .correlate_except(job_table)
    )


def _summed(jobs: Select[*tuple[Any, ...]], limit: ColumnElement[int], name: str) -> Any:
    each = jobs.limit(limit).subquery().c
    return select(
        func.count().label("jobs"),
        func.count().filter(each.is_due).label("due"),
        func.min(each.due_at).filter(each.is_due).label("oldest"),
    ).lateral(name)


def _is_before(one: Any, other: Any) -> Condition:
    """Tell whether a job is before another one: by descending priority, then by id."""
    return tuple_(other.priority, one.id) < tuple_(one.priority, other.id)

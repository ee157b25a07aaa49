"""What happened in each queue lately: the starts of its jobs. All of it is bounded."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Text, and_, case, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.filters import event, is_any, job
from db.queries.rows import AnyRow, AnySelect, read
from db.statuses import JobStatus
from db.tables import future_if_null

# The most events, and the most jobs by their last start, that are read, newest first.
MOST_EVENTS, MOST_STARTED = 10_000, 5_000

ActivityRow = AnyRow


async def list_starts(
    session: AsyncSession, org_id: UUID, since: datetime, until: datetime
) -> Sequence[ActivityRow]:
    """List the queues in which jobs started in a time: `queue`, `events`, `first`, `last`.

    One more row, whose `queue` is null, has the other events of the time. Reads the newest
    MOST_EVENTS, so these may begin later than `since`.
    """
    return await read(session, _starts, org_id, since, until, MOST_EVENTS)


def _starts(org_id: UUID, since: datetime, until: datetime, most: int) -> AnySelect:
    newest = (
        select(event.job_id, event.ts, event.prev_status, event.next_status)
        .where(event.org_id == org_id, event.ts >= since, event.ts <= until)
        .order_by(event.ts.desc(), event.job_id.desc(), event.seq.desc())
        .limit(literal(most, BigInteger()))
        .subquery("newest")
        .c
    )
    is_start = and_(
        newest.next_status == JobStatus.RUNNING.value,
        newest.prev_status.is_distinct_from(newest.next_status),
    )
    # The job of each start is looked up by its key, as in db.queries.timeline_statements.
    of_job = select(job.queue).where(job.org_id == org_id, job.id == newest.job_id)
    of_start = (
        select(case((is_start, of_job.scalar_subquery())).label("queue"), newest.ts)
        .subquery("of_start")
        .c
    )
    return select(
        of_start.queue,
        func.count().label("events"),
        func.min(of_start.ts).label("first"),
        func.max(of_start.ts).label("last"),
    ).group_by(of_start.queue)


async def load_last_starts(
    session: AsyncSession, org_id: UUID, queues: Sequence[str], until: datetime
) -> dict[str, datetime]:
    """Load when a job of each queue last started, of the MOST_STARTED that started last.

    A job that was queued again since is not among them.
    """
    rows = await read(session, _last_starts, org_id, list(queues), until, MOST_STARTED)
    return {row.queue: row.last for row in rows}


def _last_starts(org_id: UUID, queues: Sequence[str], until: datetime, most: int) -> AnySelect:
    started = future_if_null("started_at")
    newest = (
        select(job.queue, job.started_at)
        .where(job.org_id == org_id, started <= until)
        .order_by(started.desc(), job.id.desc())
        .limit(literal(most, BigInteger()))
        .subquery("newest")
        .c
    )
    return (
        select(newest.queue, func.max(newest.started_at).label("last"))
        .where(is_any(newest.queue, queues, Text()))
        .group_by(newest.queue)
    )

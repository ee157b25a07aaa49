"""Figures of an organisation's jobs for metrics: a few bounded statements in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import BigInteger, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.filters import event
from db.queries.queue_heads import load_queue_heads
from db.queries.rows import AnySelect, read_one
from db.queries.tallies import count_by_status, open_tallies
from db.queries.values import list_queued_queues
from db.statuses import JobStatus

# The due jobs of a queue that are read at most, and the failures.
MOST_DUE, MOST_FAILURES = 1_000, 10_000
FAILED_WITHIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class LedgerFigures:
    """`jobs`: by status, None without sums. `oldest_due_at`: of the due jobs that were read."""

    jobs: Mapping[JobStatus, int] | None
    due: int
    oldest_due_at: datetime | None
    failures: int


async def get_ledger_figures(session: AsyncSession, org_id: UUID, now: datetime) -> LedgerFigures:
    """Get the figures of an organisation."""
    tallies = await open_tallies(session, org_id, None)
    jobs = None if tallies is None else await count_by_status(session, tallies)
    queues = await list_queued_queues(session, org_id)
    heads = await load_queue_heads(session, org_id, queues, now=now, most=MOST_DUE)
    oldest = [row.oldest_due_at for row in heads if row.oldest_due_at is not None]
    failures = await read_one(session, _failures, org_id, now - FAILED_WITHIN, MOST_FAILURES)
    due = sum(min(row.due, MOST_DUE) for row in heads)
    return LedgerFigures(jobs, due, min(oldest, default=None), failures)


def _failures(org_id: UUID, since: datetime, most: int) -> AnySelect:
    failed = literal(JobStatus.FAILED.value, event.next_status.type, literal_execute=True)
    found = (
        select(event.job_id)
        .where(event.org_id == org_id, event.next_status == failed, event.ts >= since)
        .where(event.prev_status.is_distinct_from(event.next_status))
        .limit(literal(most, BigInteger()))
        .subquery("failed")
    )
    return select(func.count().label("failures")).select_from(found)

"""Who works."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from db.queries.workers import MOST_JOBS, WorkerRow, list_workers
from resolvers.context import Context
from resolvers.counting import Count
from resolvers.queues import checked_minutes

MAX_WORKERS = 200


@dataclass(frozen=True, slots=True)
class WorkerSummary:
    """A worker, how many jobs it runs, and when it was last heard of."""

    name: str
    running: Count
    last_seen_at: datetime


async def summarise_workers(ctx: Context, minutes: int | None) -> list[WorkerSummary]:
    """List the workers that run jobs, or whose jobs changed in these minutes.

    At most MAX_WORKERS: those that run the most jobs, then those that were seen last. Raises
    BadUserInputError.
    """
    since = ctx.now - timedelta(minutes=checked_minutes(minutes))
    rows = await ctx.read(list_workers, since)
    is_exact = sum(row.running for row in rows) <= MOST_JOBS
    found = [row for row in rows if _is_worker(row, since)]
    found.sort(key=lambda row: row.worker)
    found.sort(key=lambda row: (row.running, row.last_seen_at), reverse=True)
    return [
        WorkerSummary(row.worker, Count(row.running, is_exact), row.last_seen_at)
        for row in found[:MAX_WORKERS]
    ]


def _is_worker(row: WorkerRow, since: datetime) -> bool:
    if row.worker is None or row.last_seen_at is None:
        return False
    return bool(row.running) or row.last_seen_at >= since

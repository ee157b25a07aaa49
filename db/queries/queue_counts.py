"""How many jobs of each queue are queued, and how many run."""

from collections import Counter
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JobCriteria
from db.queries.dimensions import JobDimension
from db.queries.filters import job, job_conditions
from db.queries.keyset import JOBS_NEWEST_FIRST, Window, page
from db.queries.rows import AnySelect, read
from db.queries.tallies import group_by_key, open_tallies
from db.statuses import JobStatus
from db.tallies.keys import OTHERS

# The most running jobs that are read where there are no sums.
MOST_RUNNING = 10_000


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """The jobs that run, by queue; and those that are queued, None if that is not known.

    If not `is_exact`, more may run.
    """

    running: Counter[str]
    queued: Counter[str] | None
    is_exact: bool


async def count_by_queue(
    session: AsyncSession, org_id: UUID, criteria: JobCriteria | None = None
) -> QueueCounts:
    """Count the jobs that meet the criteria: by the sums, else the newest MOST_RUNNING that run."""
    tallies = await open_tallies(session, org_id, criteria, [JobDimension.QUEUE])
    if tallies is not None and all(key.queue != OTHERS for key in tallies.keys):
        running: Counter[str] = Counter()
        queued: Counter[str] = Counter()
        for key, row in await group_by_key(session, tallies):
            assert key.queue is not None
            running[key.queue] += row.running
            queued[key.queue] += row.queued
        return QueueCounts(+running, +queued, is_exact=True)
    window = Window(JOBS_NEWEST_FIRST, MOST_RUNNING + 1)
    rows = await read(session, _running, org_id, criteria, window)
    found = Counter({row.queue: row.jobs for row in rows})
    return QueueCounts(found, None, is_exact=found.total() <= MOST_RUNNING)


def _running(org_id: UUID, criteria: JobCriteria | None, window: Window) -> AnySelect:
    wanted = replace(criteria or JobCriteria(), status=[JobStatus.RUNNING])
    running = job_conditions(org_id, wanted)
    newest = page(select(job.queue).where(running), window).subquery("newest").c
    return select(newest.queue, func.count().label("jobs")).group_by(newest.queue)

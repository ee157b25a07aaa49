"""Reads of attempts, which are derived from the status changes of jobs."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Uuid, column, func, literal, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from db.event_marks import MARK
from db.queries.rows import AnyRow, AnySelect, read
from db.statuses import JobStatus
from db.tables import job_event_table

AttemptRow = AnyRow

# Keys of the detail of the event that ended the attempt, and of the one that started it; their
# values may be any JSON.
ERRORS = ("error_code", "error_message")
WORKER = "worker"
STARTS = (WORKER, MARK)
DETAILS = (*ERRORS, *STARTS)


async def load_attempts_by_job(
    session: AsyncSession,
    org_id: UUID,
    job_ids: Sequence[UUID],
    last: int,
    details: Collection[str],
) -> Sequence[AttemptRow]:
    """Load the newest `last` attempts of each job, unordered.

    An attempt starts with a change to RUNNING and ends with the next status change, which is null
    for a current attempt. `details` is the subset of DETAILS to read. Reads each job's events back
    to the start of the oldest of these attempts.
    """
    ids = list(job_ids)
    most_rows = len(ids) * last
    names = frozenset(details)
    return await read(session, _of_jobs, org_id, ids, last, names, most_rows=most_rows)


def _of_jobs(
    org_id: UUID, job_ids: Sequence[UUID], last: int, details: frozenset[str]
) -> AnySelect:
    start, end = job_event_table.alias("start"), job_event_table.alias("end_")
    jobs = (
        func.unnest(literal(job_ids, ARRAY(Uuid())))
        .table_valued(column("id", Uuid()), name="wanted")
        .render_derived()
    )
    running = JobStatus.RUNNING.value
    started = (
        select(
            start.c.job_id,
            start.c.seq,
            start.c.attempt,
            start.c.ts.label("started_at"),
            *(start.c.detail[name].label(name) for name in STARTS if name in details),
        )
        .where(
            start.c.org_id == org_id,
            start.c.job_id == jobs.c.id,
            start.c.next_status == running,
            start.c.prev_status.is_distinct_from(running),
        )
        .order_by(start.c.seq.desc())
        .limit(literal(last, BigInteger()))
        .lateral("started")
    )
    ended = (
        select(
            end.c.ts.label("finished_at"),
            end.c.next_status.label("outcome"),
            *(end.c.detail[name].label(name) for name in ERRORS if name in details),
        )
        .where(
            end.c.org_id == org_id,
            end.c.job_id == started.c.job_id,
            end.c.seq > started.c.seq,
            end.c.prev_status.is_distinct_from(end.c.next_status),
        )
        .order_by(end.c.seq)
        .limit(1)
        .lateral("ended")
    )
    joined = jobs.join(started, true()).outerjoin(ended, true())
    return select(*started.c, *ended.c).select_from(joined)

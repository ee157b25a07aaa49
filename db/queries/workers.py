"""Who works: the workers that jobs name which run, or which changed lately."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    case,
    false,
    func,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JobCriteria, TimeCriteria
from db.queries.filters import Condition, job, job_conditions
from db.queries.keyset import JOB_ORDERS, JobOrderField, Window, page
from db.queries.rows import AnyRow, AnySelect, read
from db.statuses import JobStatus

WorkerRow = AnyRow

# The most running jobs that are read, and the most others that changed lately.
MOST_JOBS = 10_000

_BY_CREATION = JOB_ORDERS[JobOrderField.CREATED_AT, True]
_BY_CHANGE = JOB_ORDERS[JobOrderField.UPDATED_AT, True]


async def list_workers(session: AsyncSession, org_id: UUID, since: datetime) -> Sequence[WorkerRow]:
    """List `worker`, `running` jobs and the time `last_seen_at`; null of jobs that name none.

    Of the newest MOST_JOBS + 1 that run, and the MOST_JOBS others that changed last since then.
    """
    windows = Window(_BY_CREATION, MOST_JOBS + 1), Window(_BY_CHANGE, MOST_JOBS)
    return await read(session, _workers, org_id, since, *windows)


def _workers(org_id: UUID, since: datetime, newest: Window, latest: Window) -> AnySelect:
    running = job_conditions(org_id, JobCriteria(status=[JobStatus.RUNNING]))
    changed = job_conditions(org_id, JobCriteria(updated_at=TimeCriteria(gte=since)))
    parts = (
        page(_jobs(true()).where(running), newest),
        page(_jobs(false()).where(changed), latest),
    )
    each = union_all(*(select(part.subquery()) for part in parts)).subquery("each").c
    return select(
        each.worker,
        func.count().filter(each.counts).label("running"),
        func.max(each.seen_at).label("last_seen_at"),
    ).group_by(each.worker)


def _jobs(counts: Condition) -> Select[*tuple[Any, ...]]:
    return select(job.worker, _seen_at().label("seen_at"), counts.label("counts"))


def _seen_at() -> ColumnElement[Any]:
    """Return when the worker of a job was last heard of.

    What happened to the job after its run, others may have done.
    """
    ended = JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.DEAD_LETTER
    return case(
        (
            job.status == _status(JobStatus.RUNNING),
            func.greatest(job.updated_at, job.progress_at),
        ),
        (job.status.in_(list(map(_status, ended))), job.finished_at),
        else_=job.started_at,
    )


def _status(status: JobStatus) -> ColumnElement[str]:
    return literal_column(f"'{status.value}'")

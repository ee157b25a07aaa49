"""Reads of the jobs that wait to be started, in the order in which to start them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ScalarSelect, literal, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.selectable import CTE

from db.criteria import JobCriteria, TextCriteria
from db.queries.filters import Condition, job_conditions
from db.queries.jobs import JobRow, job_columns
from db.queries.rows import AnySelect, read_all
from db.statuses import JobStatus
from db.tables import Timestamp, job_table

job = job_table.c


async def list_due_jobs(
    session: AsyncSession,
    org_id: UUID,
    *,
    now: datetime,
    limit: int,
    type_: str | None,
    columns: Collection[str],
) -> Sequence[JobRow]:
    """List queued jobs that are due: the most urgent first, of equal priority by id.

    Ids that Joblens makes rise with time, so that is the oldest first. Rows have `columns`, `id`
    and `priority`. The index of queued jobs is cut once for each priority there is, and `limit`
    due jobs are read from each; what is not due, or of another type, is read past.
    """
    levels = _levels(org_id)
    wanted = job_columns({"id", "priority", *columns})
    kind = None if type_ is None else TextCriteria(eq=type_)
    due = or_(job.scheduled_at.is_(None), job.scheduled_at <= literal(now, Timestamp))
    of_level = (
        select(*wanted)
        .where(_queued(org_id, kind), job.priority == levels.c.priority, due)
        .order_by(job.id)
        .limit(limit)
        .lateral("found")
    )
    statement: AnySelect = (
        select(of_level)
        .select_from(levels.join(of_level, true()))
        .order_by(of_level.c.priority.desc(), of_level.c.id)
        .limit(limit)
    )
    return await read_all(session, statement)


def _levels(org_id: UUID) -> CTE:
    """Find the priorities of queued jobs, each by one step down the index."""
    highest = _highest(org_id, true())
    levels = select(highest.label("priority")).cte("levels", recursive=True)
    lower = _highest(org_id, job.priority < levels.c.priority)
    # The step below the lowest finds null, and there the stairs end.
    return levels.union_all(select(lower).where(levels.c.priority.is_not(None)))


def _highest(org_id: UUID, condition: Condition) -> ScalarSelect[int]:
    return (
        select(job.priority)
        .where(_queued(org_id), condition)
        .order_by(job.priority.desc(), job.id.desc())
        .limit(1)
        .correlate_except(job_table)
        .scalar_subquery()
    )


def _queued(org_id: UUID, kind: TextCriteria | None = None) -> Condition:
    return job_conditions(org_id, JobCriteria(status=[JobStatus.QUEUED], type=kind))

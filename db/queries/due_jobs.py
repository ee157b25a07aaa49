"""Reads of queued jobs that are due, in the order in which to start them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ScalarSelect, literal, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.selectable import CTE

from db.criteria import JobCriteria, TextCriteria
from db.queries.filters import Condition, job_conditions
from db.queries.jobs import JobRow, job_columns
from db.queries.rows import AnySelect, read
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
    """List queued jobs that are due, by descending priority, then by id.

    Ids are ordered by time, so older jobs come first. Rows have `columns`, `id` and `priority`.
    Reads up to `limit` due jobs for each priority from the index of queued jobs, and skips jobs
    that are not due or of another type.
    """
    return await read(session, _due, org_id, now, limit, type_, frozenset(columns))


def _due(
    org_id: UUID, now: datetime, limit: int, type_: str | None, columns: frozenset[str]
) -> AnySelect:
    most = literal(limit, BigInteger())
    priorities = _priorities(org_id)
    wanted = job_columns({"id", "priority", *columns})
    type_criteria = None if type_ is None else TextCriteria(eq=type_)
    due = or_(job.scheduled_at.is_(None), job.scheduled_at <= literal(now, Timestamp))
    per_priority = (
        select(*wanted)
        .where(_queued(org_id, type_criteria), job.priority == priorities.c.priority, due)
        .order_by(job.id)
        .limit(most)
        .lateral("due")
    )
    return (
        select(per_priority)
        .select_from(priorities.join(per_priority, true()))
        .order_by(per_priority.c.priority.desc(), per_priority.c.id)
        .limit(most)
    )


def _priorities(org_id: UUID) -> CTE:
    """Select the distinct priorities of queued jobs, with one index search each."""
    highest = _highest(org_id, true())
    priorities = select(highest.label("priority")).cte("priorities", recursive=True)
    lower = _highest(org_id, job.priority < priorities.c.priority)
    # The search below the lowest priority returns null, which ends the recursion.
    return priorities.union_all(select(lower).where(priorities.c.priority.is_not(None)))


def _highest(org_id: UUID, condition: Condition) -> ScalarSelect[int]:
    return (
        select(job.priority)
        .where(_queued(org_id), condition)
        .order_by(job.priority.desc(), job.id.desc())
        .limit(1)
        .correlate_except(job_table)
        .scalar_subquery()
    )


def _queued(org_id: UUID, type_criteria: TextCriteria | None = None) -> Condition:
    return job_conditions(org_id, JobCriteria(status=[JobStatus.QUEUED], type=type_criteria))

"""The distinct values of a column of `job`, read from its index one after another."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    BigInteger,
    Column,
    Integer,
    ScalarSelect,
    and_,
    desc,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import TextCriteria
from db.queries.filters import BY_PREFIX, Condition, job, prefix_range, text_comparisons
from db.queries.keyset import JOBS_NEWEST_FIRST, Window, page
from db.queries.rows import AnyRow, AnySelect, read
from db.statuses import JobStatus
from db.tables import job_table

# The most values that are read to find those of a filter.
MOST_VALUES = 10_000
# Of suggestions: the values that are counted, the jobs of each, and the newest jobs looked at.
MOST_CANDIDATES, MOST_JOBS, NEWEST_JOBS = 100, 1_000, 5_000


class TextColumn(StrEnum):
    """The columns with an index of their values."""

    TYPE = "type"
    QUEUE = "queue"
    REQUESTED_BY = "requested_by"
    LAST_ERROR_CODE = "last_error_code"
    WORKER = "worker"
    BATCH = "batch"


async def list_matching_values(
    session: AsyncSession, org_id: UUID, name: TextColumn, criteria: TextCriteria
) -> list[str] | None:
    """List the column's values that meet the criteria; None if more than MOST_VALUES were read."""
    rows = await read(session, _matching, org_id, name, criteria)
    if any(row.number > MOST_VALUES for row in rows):
        return None
    return [row.value for row in rows]


async def list_queued_queues(session: AsyncSession, org_id: UUID) -> list[str]:
    """List the queues that have queued jobs: the first MOST_VALUES in order.

    Half of these are queues with jobs that have no time, half with jobs that have one.
    """
    rows = await read(session, _queued, org_id, MOST_VALUES // 2)
    return sorted({row.value for row in rows})


def _queued(org_id: UUID, most: int) -> AnySelect:
    queued = job.status == literal(JobStatus.QUEUED.value, literal_execute=True)
    # One index has those without a time, another one the others.
    found = (
        _values(org_id, TextColumn.QUEUE, None, most, queued, timed)
        for timed in (job.scheduled_at.is_(None), job.scheduled_at.is_not(None))
    )
    names = (select(each.c.value).where(each.c.value.is_not(None)) for each in found)
    return select(union_all(*names).subquery("names"))


def _matching(org_id: UUID, name: TextColumn, criteria: TextCriteria) -> AnySelect:
    values = _values(org_id, name, criteria.starts_with, MOST_VALUES + 1)
    meets = and_(true(), *text_comparisons(values.c.value, criteria))
    return select(values.c.value, values.c.number).where(
        values.c.value.is_not(None), or_(meets, values.c.number > MOST_VALUES)
    )


async def list_suggestions(
    session: AsyncSession, org_id: UUID, name: TextColumn, prefix: str, limit: int
) -> Sequence[AnyRow]:
    """List the values that begin with the prefix, the commonest first: `value` and `jobs`.

    Of the first MOST_CANDIDATES in order and those of the NEWEST_JOBS. Jobs are counted up to
    MOST_JOBS + 1; values with more are sorted by their number among the newest jobs.
    """
    return await read(session, _suggestions, org_id, name, prefix, limit)


def _suggestions(org_id: UUID, name: TextColumn, prefix: str, limit: int) -> AnySelect:
    target = job_table.c[name.value]
    newest = page(
        select(target.label("value")).where(job.org_id == org_id),
        Window(JOBS_NEWEST_FIRST, NEWEST_JOBS),
    ).subquery("newest")
    common = (
        select(newest.c.value, func.count().label("recent"))
        .where(newest.c.value.is_not(None), func.starts_with(newest.c.value, prefix))
        .group_by(newest.c.value)
        .order_by(desc("recent"), newest.c.value)
        .limit(MOST_CANDIDATES)
    ).subquery("common")
    first = _values(org_id, name, prefix, MOST_CANDIDATES)
    in_order = select(first.c.value, literal(0, BigInteger()).label("recent")).where(
        first.c.value.is_not(None), func.starts_with(first.c.value, prefix)
    )
    each = union_all(select(common), in_order).subquery("each")
    candidates = (
        select(each.c.value, func.max(each.c.recent).label("recent"))
        .group_by(each.c.value)
        .subquery("candidates")
    )
    counted = page(
        select(literal_column("1").label("one")).where(
            job.org_id == org_id, target == candidates.c.value
        ),
        Window(JOBS_NEWEST_FIRST, MOST_JOBS + 1),
    ).lateral("counted")
    jobs = func.count().label("jobs")
    return (
        select(candidates.c.value, jobs)
        .select_from(candidates.join(counted, true()))
        .group_by(candidates.c.value, candidates.c.recent)
        .order_by(jobs.desc(), candidates.c.recent.desc(), candidates.c.value)
        .limit(literal(limit, BigInteger()))
    )


def _values(
    org_id: UUID, name: TextColumn, prefix: str | None, most: int, *conditions: Condition
) -> CTE:
    """Select distinct values in the order of their index, with one index search each.

    The last one is null, unless there are `most` values. With a prefix, others may be among them if
    the index cannot find it.
    """
    target = job_table.c[name.value]
    in_range = list(prefix_range(target, prefix)) if prefix and name.value in BY_PREFIX else []
    first = _next(org_id, target, *conditions, *in_range)
    values = select(first.label("value"), literal(1, Integer()).label("number"))
    found = values.cte(recursive=True)
    after = target.bool_op("~>~") if name.value in BY_PREFIX else target.__gt__
    following = _next(org_id, target, *conditions, *in_range, after(found.c.value))
    more = select(following, found.c.number + 1).where(
        found.c.value.is_not(None), found.c.number < most
    )
    return found.union_all(more)


def _next(org_id: UUID, target: Column[Any], *conditions: Condition) -> ScalarSelect[Any]:
    # The order of an index with text_pattern_ops has no other name.
    ordering = (
        literal_column(f"job.{target.name} USING ~<~") if target.name in BY_PREFIX else target.asc()
    )
    return (
        select(target)
        .where(job.org_id == org_id, target.is_not(None), *conditions)
        .order_by(ordering)
        .limit(1)
        .correlate_except(job_table)
        .scalar_subquery()
    )

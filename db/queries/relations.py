"""Reads of jobs that have a parent, a batch or a source in common: for many of these at once."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, column, func, literal, literal_column, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.selectable import LateralFromClause, TableValuedAlias

from db.criteria import JobCriteria
from db.queries.alternatives import BY_CREATION
from db.queries.filters import Condition, job_conditions
from db.queries.jobs import JobRow, job_columns
from db.queries.keyset import KeysetOrder, Window, page, seek_behind
from db.queries.rows import AnyRow, AnySelect, read
from db.tables import job_table

# The id of a parent or a source, or the name of a batch.
Key = UUID | str
job = job_table.c


class Relation(StrEnum):
    """The columns that related jobs have in common."""

    PARENT = "parent_id"
    BATCH = "batch"
    SOURCE = "source_id"


async def load_related_jobs(
    session: AsyncSession,
    org_id: UUID,
    relation: Relation,
    keys: Sequence[Key],
    criteria: JobCriteria | None,
    window: Window,
    columns: Collection[str],
) -> Sequence[JobRow]:
    """Load the window's jobs of each key that meet the criteria, unordered.

    Rows have `columns`, `id`, the relation's column and those of the window's order. Reads no more
    rows than it returns in CREATED_AT order without criteria; else it may read all jobs of a key.
    """
    wanted = list(keys)
    most = len(wanted) * window.limit
    names = frozenset(columns)
    return await read(
        session, _page, org_id, relation, wanted, criteria, window, names, most_rows=most
    )


def _page(
    org_id: UUID,
    relation: Relation,
    keys: Sequence[Key],
    criteria: JobCriteria | None,
    window: Window,
    columns: frozenset[str],
) -> AnySelect:
    return _cut_each(org_id, relation, keys, criteria, window, columns, page)


def _cut_each(
    org_id: UUID,
    relation: Relation,
    keys: Sequence[Key],
    criteria: JobCriteria | None,
    window: Window,
    columns: frozenset[str],
    cut: Callable[[AnySelect, Window], AnySelect],
) -> AnySelect:
    order = {each.attribute for each in window.order.columns}
    wanted = select(*job_columns(order | columns | {"id", relation.value}))
    wanted = wanted.where(job_conditions(org_id, criteria))
    if criteria is None and window.order in BY_CREATION:
        joined, related = _for_each(relation, keys, cut(wanted, window))
        return select(related).select_from(joined)
    # Another index than that of the relation would be read to its end if a key has few jobs.
    table = _wanted(relation, keys)
    # SQLAlchemy would correlate it with the query just around it, and else read all keys in it.
    of_key = wanted.where(_has_key(relation, table)).correlate(table)
    of_one = of_key.offset(literal_column("0")).lateral("job")
    in_order = replace(window, order=_order_of(window.order, of_one))
    related = cut(select(of_one), in_order).lateral("related")
    return select(related).select_from(table.join(related, true()))


def _order_of(order: KeysetOrder, jobs: LateralFromClause) -> KeysetOrder:
    """Return the order for rows of `jobs`, which has the name of the table."""
    return replace(
        order,
        columns=tuple(
            each if each.future_if_null else replace(each, expression=jobs.c[each.attribute])
            for each in order.columns
        ),
    )


async def count_related_jobs(
    session: AsyncSession,
    org_id: UUID,
    relation: Relation,
    keys: Sequence[Key],
    criteria: JobCriteria | None,
    at_most: int | None,
) -> dict[Key, int]:
    """Count the jobs of each key that meet the criteria, up to `at_most` + 1; none are omitted."""
    most = None if at_most is None else at_most + 1
    rows = await read(session, _counts, org_id, relation, list(keys), criteria, most)
    return {row.key: row.jobs for row in rows}


def _counts(
    org_id: UUID,
    relation: Relation,
    keys: Sequence[Key],
    criteria: JobCriteria | None,
    most: int | None,
) -> AnySelect:
    limit = None if most is None else literal(most, BigInteger())
    jobs = select(job[relation.value].label("key")).where(job_conditions(org_id, criteria))
    joined, related = _for_each(relation, keys, jobs.limit(limit))
    counted = select(related.c.key, func.count().label("jobs"))
    return counted.select_from(joined).group_by(related.c.key)


async def find_keys_behind(
    session: AsyncSession,
    org_id: UUID,
    relation: Relation,
    keys: Sequence[Key],
    criteria: JobCriteria | None,
    window: Window,
) -> set[Key]:
    """Return the keys that have jobs that meet the criteria behind the window."""
    rows = await read(session, _behind, org_id, relation, list(keys), criteria, window)
    return {getattr(row, relation.value) for row in rows}


def _behind(
    org_id: UUID,
    relation: Relation,
    keys: Sequence[Key],
    criteria: JobCriteria | None,
    window: Window,
) -> AnySelect:
    def first_behind(jobs: AnySelect, of: Window) -> AnySelect:
        return seek_behind(jobs, of).limit(1)

    return _cut_each(org_id, relation, keys, criteria, window, frozenset(), first_behind)


async def load_batch_counts(
    session: AsyncSession, org_id: UUID, names: Sequence[str]
) -> Sequence[AnyRow]:
    """Load what the jobs of each batch are: a row for each batch and status, unordered.

    Rows have `batch`, `status`, `jobs`, `first_created_at` and `last_finished_at`. Reads nothing
    but the index of batches, of these batches all.
    """
    return await read(session, _batch_counts, org_id, list(names))


def _batch_counts(org_id: UUID, names: Sequence[str]) -> AnySelect:
    counts = (
        select(
            job.batch,
            job.status,
            func.count().label("jobs"),
            func.min(job.created_at).label("first_created_at"),
            func.max(job.finished_at).label("last_finished_at"),
        )
        .where(job_conditions(org_id, None))
        .group_by(job.batch, job.status)
    )
    joined, related = _for_each(Relation.BATCH, names, counts)
    return select(related).select_from(joined)


async def find_batches(session: AsyncSession, org_id: UUID, names: Sequence[str]) -> set[str]:
    """Return the names of those batches that have a job."""
    rows = await read(session, _batches, org_id, list(names))
    return {row.batch for row in rows}


def _batches(org_id: UUID, names: Sequence[str]) -> AnySelect:
    jobs = select(job.batch).where(job_conditions(org_id, None)).limit(1)
    joined, related = _for_each(Relation.BATCH, names, jobs)
    return select(related).select_from(joined)


def _for_each(
    relation: Relation, keys: Sequence[Key], of_one: AnySelect
) -> tuple[Any, LateralFromClause]:
    """Join keys with `of_one`, a statement over the jobs of one key."""
    wanted = _wanted(relation, keys)
    related = of_one.where(_has_key(relation, wanted)).lateral("related")
    return wanted.join(related, true()), related


def _wanted(relation: Relation, keys: Sequence[Key]) -> TableValuedAlias:
    type_ = job[relation.value].type
    return (
        func.unnest(literal(keys, ARRAY(type_)))
        .table_valued(column("key", type_), name="wanted")
        .render_derived()
    )


def _has_key(relation: Relation, wanted: TableValuedAlias) -> Condition:
    return job[relation.value] == wanted.c.key

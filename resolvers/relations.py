"""Reads of related jobs: parents, children, and batches with their counts."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from db.criteria import JobCriteria
from db.queries import relations as queries
from db.queries.jobs import JobRow
from db.queries.keyset import JOB_ORDERS, JobOrderField, KeysetOrder, Window
from db.queries.relations import Key, Relation
from db.statuses import JobStatus
from resolvers.context import Context
from resolvers.counting import Count, StatusCount, as_count, check_at_most
from resolvers.errors import UnavailableError
from resolvers.jobs import get_jobs
from resolvers.narrowing import narrowed_by_ids
from resolvers.paging import (
    ConnectionSource,
    Lists,
    PageArguments,
    PageNeeds,
    cut,
    looks_ahead,
    widened,
    window,
)


@dataclass(frozen=True, slots=True)
class Batch:
    """The jobs that have this batch."""

    name: str


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """How many jobs of a batch have each status, and its times.

    `last_finished_at`: None while a job has not ended.
    """

    by_status: dict[JobStatus, int]
    first_created_at: datetime
    last_finished_at: datetime | None

    @property
    def status_counts(self) -> list[StatusCount]:
        """The number of jobs of each status."""
        return [
            StatusCount(status, as_count(self.by_status.get(status, 0), None))
            for status in JobStatus
        ]

    @property
    def fraction(self) -> float:
        """The part of the jobs that have ended."""
        ended = sum(jobs for status, jobs in self.by_status.items() if status.is_terminal)
        return ended / sum(self.by_status.values())


@dataclass(frozen=True, slots=True)
class Selection:
    """Which related jobs are listed, and in which order."""

    relation: Relation
    criteria: JobCriteria | None
    field: JobOrderField
    descending: bool

    @property
    def order(self) -> KeysetOrder:
        """The order of the lists."""
        return JOB_ORDERS[self.field, self.descending]


async def get_parents(
    ctx: Context, jobs: Sequence[JobRow], columns: Collection[str]
) -> list[JobRow | None]:
    """Return the parent of each job; None if it has none, or if it was deleted."""
    ids = list(dict.fromkeys(job.parent_id for job in jobs if job.parent_id is not None))
    found = dict(zip(ids, await get_jobs(ctx, ids, columns), strict=True))
    return [found.get(job.parent_id) for job in jobs]


async def list_related_jobs(
    ctx: Context,
    keys: Sequence[Key],
    selection: Selection,
    arguments: PageArguments,
    needs: PageNeeds,
    columns: Collection[str],
) -> list[ConnectionSource]:
    """Return a page of the jobs of each key; concurrent calls are batched.

    Raises BadUserInputError and InvalidCursorError for invalid page arguments.
    """
    page = window(selection.order, arguments, ctx.limits)
    lists = Lists(page, partial(_count, ctx, selection), partial(_are_behind, ctx, selection, page))
    if not needs.rows and not looks_ahead(page, needs):
        return [ConnectionSource(lists, key, (), None) for key in keys]
    wider = widened(page, needs)
    batch = partial(_load_related, ctx, selection, wider, columns)
    name = "related", repr(selection), wider, frozenset(columns)
    return [
        ConnectionSource(lists, key, *cut(page, rows, needs))
        for key, rows in zip(keys, await ctx.load(name, batch, keys), strict=True)
    ]


async def _load_related(
    ctx: Context,
    selection: Selection,
    page: Window,
    columns: Collection[str],
    keys: Sequence[Key],
) -> list[list[JobRow]]:
    """Load the window's jobs of many keys, in the direction of paging."""
    relation, criteria = selection.relation, await _narrowed(ctx, selection)
    rows = await ctx.read(queries.load_related_jobs, relation, keys, criteria, page, columns)
    ctx.cache_jobs(rows, columns)
    by_key: defaultdict[Key, list[JobRow]] = defaultdict(list)
    for row in sorted(rows, key=partial(_position, page.order), reverse=page.is_descending):
        by_key[getattr(row, relation.value)].append(row)
    return [by_key[key] for key in keys]


def _position(order: KeysetOrder, row: JobRow) -> list[tuple[bool, Any]]:
    """Return where a row is in an order; a missing time is in the future."""
    return [(value is None, value) for value in order.key(row)]


async def _narrowed(ctx: Context, selection: Selection) -> JobCriteria | None:
    """Narrow the filter once, however many lists it is of."""

    async def batch(_: Sequence[None]) -> list[JobCriteria | None]:
        return [await narrowed_by_ids(ctx, selection.criteria)]

    if selection.criteria is None:
        return None
    name = "narrowed", repr(selection)
    criteria: JobCriteria | None = (await ctx.load(name, batch, [None]))[0]
    return criteria


async def _count(
    ctx: Context, selection: Selection, keys: Sequence[Key], at_most: int | None
) -> list[Count]:
    async def batch(missing: Sequence[Key]) -> list[int]:
        criteria = await _narrowed(ctx, selection)
        relation = selection.relation
        counts = await ctx.read(queries.count_related_jobs, relation, missing, criteria, at_most)
        return [counts.get(key, 0) for key in missing]

    check_at_most(at_most)
    counts = await ctx.load(("related counts", repr(selection), at_most), batch, keys)
    return [as_count(count, at_most) for count in counts]


async def _are_behind(
    ctx: Context, selection: Selection, page: Window, keys: Sequence[Key]
) -> Sequence[bool]:
    async def batch(missing: Sequence[Key]) -> list[bool]:
        criteria = await _narrowed(ctx, selection)
        relation = selection.relation
        found = await ctx.read(queries.find_keys_behind, relation, missing, criteria, page)
        return [key in found for key in missing]

    return await ctx.load(("related behind", repr(selection), page), batch, keys)


def batches_of(jobs: Sequence[JobRow]) -> list[Batch | None]:
    """Return the batch of each job, None if it has none."""
    return [None if job.batch is None else Batch(job.batch) for job in jobs]


async def get_batches(ctx: Context, names: Sequence[str]) -> list[Batch | None]:
    """Return the batches with these names, None for each that has no job."""

    async def batch(missing: Sequence[str]) -> list[Batch | None]:
        found = await ctx.read(queries.find_batches, missing)
        return [Batch(name) if name in found else None for name in missing]

    return await ctx.load("batches", batch, names)


async def get_batch_counts(
    ctx: Context, batches: Sequence[Batch]
) -> list[BatchCounts | UnavailableError]:
    """Return the counts of each batch; concurrent calls are batched into one statement.

    An error if its jobs were deleted since the batch was read, as after a mutation.
    """
    return await ctx.load("batch counts", partial(_load_counts, ctx), [b.name for b in batches])


async def _load_counts(ctx: Context, names: Sequence[str]) -> list[BatchCounts | UnavailableError]:
    by_name: defaultdict[str, list[Any]] = defaultdict(list)
    for row in await ctx.read(queries.load_batch_counts, names):
        by_name[row.batch].append(row)
    return [_counts(by_name[name]) if by_name[name] else UnavailableError() for name in names]


def _counts(rows: Sequence[Any]) -> BatchCounts:
    by_status = {JobStatus(row.status): row.jobs for row in rows}
    ended = [row.last_finished_at for row in rows]
    return BatchCounts(
        by_status,
        min(row.first_created_at for row in rows),
        max(ended) if all(status.is_terminal for status in by_status) else None,
    )

"""Reads of events and attempts: lists over all jobs, and batches by job or id."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import partial
from uuid import UUID

from db.criteria import JobEventCriteria
from db.queries import attempts
from db.queries import events as queries
from db.queries.attempts import AttemptRow
from db.queries.events import JobEventRow
from db.queries.keyset import EVENTS_NEWEST_FIRST, EVENTS_OF_JOB, Window
from resolvers.attempts import Attempt, from_row
from resolvers.context import Context
from resolvers.counting import Count, count_up_to
from resolvers.ids import EventId
from resolvers.paging import (
    ConnectionSource,
    PageArguments,
    PageNeeds,
    cut,
    list_size,
    looks_ahead,
    read_page,
    widened,
    window,
)

LATEST = Window(EVENTS_OF_JOB, limit=1, backward=True)


async def list_events(
    ctx: Context,
    criteria: JobEventCriteria | None,
    arguments: PageArguments,
    needs: PageNeeds,
    columns: Collection[str],
) -> ConnectionSource:
    """Return a page of the events that match the criteria, newest first.

    Its cursors have the snapshot of the page, so that a subscription can resume exactly there.
    Raises BadUserInputError and InvalidCursorError for invalid page arguments.
    """
    page = window(EVENTS_NEWEST_FIRST, arguments, ctx.limits)
    columns = {*columns, queries.SNAPSHOT} if needs.cursors else columns
    rows, more = await read_page(
        page, needs, lambda wider: ctx.read(queries.list_events, criteria, wider, columns)
    )
    return ConnectionSource(
        page,
        rows,
        more,
        count=partial(_count_events, ctx, criteria),
        behind=lambda: ctx.read(queries.event_exists_behind, criteria, page),
    )


async def list_events_of_job(
    ctx: Context,
    job_id: UUID,
    arguments: PageArguments,
    needs: PageNeeds,
    columns: Collection[str],
) -> ConnectionSource:
    """Return a page of a job's events, oldest first; concurrent calls are batched.

    Raises BadUserInputError and InvalidCursorError for invalid page arguments.
    """
    page = window(EVENTS_OF_JOB, arguments, ctx.limits)
    rows: Sequence[JobEventRow] = ()
    more = None
    if needs.rows or looks_ahead(page, needs):
        read = widened(page, needs)
        rows = await _events_of_job(ctx, job_id, read, columns)
        rows, more = cut(page, rows, needs)
    return ConnectionSource(
        page,
        rows,
        more,
        count=partial(_count_events_of_job, ctx, job_id),
        behind=lambda: _has_events_behind(ctx, job_id, page),
    )


async def get_latest_event(
    ctx: Context, job_id: UUID, columns: Collection[str]
) -> JobEventRow | None:
    """Return a job's newest event; concurrent calls are batched into one statement."""
    rows = await _events_of_job(ctx, job_id, LATEST, columns)
    return rows[0] if rows else None


async def list_attempts(
    ctx: Context, job_id: UUID, last: int | None, errors: Collection[str]
) -> list[Attempt]:
    """Return a job's newest attempts, oldest first; concurrent calls are batched.

    `errors`: the error columns to read. Raises BadUserInputError if `last` is out of bounds.
    """
    size = list_size(last, "last", ctx.limits)
    key = ("attempts", size, frozenset(errors))
    loader = ctx.loader(key, partial(load_attempts_by_job, ctx, last=size, errors=errors))
    newest: list[Attempt] = await loader.load(job_id)
    return newest


async def get_event(
    ctx: Context, event_id: EventId, columns: Collection[str]
) -> JobEventRow | None:
    """Return an event or None; concurrent calls are batched into one statement."""
    key = ("events by id", frozenset(columns))
    loader = ctx.loader(key, partial(load_events_by_id, ctx, columns=columns))
    event: JobEventRow | None = await loader.load(event_id)
    return event


async def load_events_by_job(
    ctx: Context, job_ids: Sequence[UUID], page: Window, columns: Collection[str]
) -> list[list[JobEventRow]]:
    """Load the window's events of many jobs, in the direction of paging."""
    rows = await ctx.read(queries.load_events_by_job, job_ids, page, columns)
    by_job: defaultdict[UUID, list[JobEventRow]] = defaultdict(list)
    for row in rows:
        by_job[row.job_id].append(row)
    for events in by_job.values():
        events.sort(key=lambda event: event.seq, reverse=page.backward)
    return [by_job[job_id] for job_id in job_ids]


async def load_attempts_by_job(
    ctx: Context, job_ids: Sequence[UUID], last: int, errors: Collection[str]
) -> list[list[Attempt]]:
    """Load the newest `last` attempts of many jobs, oldest first."""
    by_job: defaultdict[UUID, list[AttemptRow]] = defaultdict(list)
    for row in await ctx.read(attempts.load_attempts_by_job, job_ids, last, errors):
        by_job[row.job_id].append(row)
    in_order = (sorted(by_job[job_id], key=lambda row: row.seq) for job_id in job_ids)
    return [[from_row(row) for row in rows] for rows in in_order]


async def load_events_by_id(
    ctx: Context, ids: Sequence[EventId], columns: Collection[str]
) -> list[JobEventRow | None]:
    """Load many events, in the order of the ids, None for each unknown id."""
    rows = await ctx.read(queries.load_events_by_id, ids, columns)
    by_id = {(row.job_id, row.seq): row for row in rows}
    return [by_id.get(event_id) for event_id in ids]


async def _events_of_job(
    ctx: Context, job_id: UUID, page: Window, columns: Collection[str]
) -> list[JobEventRow]:
    key = ("events", _window_key(page), frozenset(columns))
    loader = ctx.loader(key, partial(load_events_by_job, ctx, page=page, columns=columns))
    rows: list[JobEventRow] = await loader.load(job_id)
    return rows


async def _count_events(
    ctx: Context, criteria: JobEventCriteria | None, at_most: int | None
) -> Count:
    return await count_up_to(at_most, lambda most: ctx.read(queries.count_events, criteria, most))


async def _count_events_of_job(ctx: Context, job_id: UUID, at_most: int | None) -> Count:
    async def batch(job_ids: Sequence[UUID]) -> list[int]:
        counts = await ctx.read(queries.count_events_by_job, job_ids, at_most)
        return [counts.get(job_id, 0) for job_id in job_ids]

    async def count(_at_most: int | None) -> int:
        events: int = await ctx.loader(("event counts", at_most), batch).load(job_id)
        return events

    return await count_up_to(at_most, count)


async def _has_events_behind(ctx: Context, job_id: UUID, page: Window) -> bool:
    async def batch(job_ids: Sequence[UUID]) -> list[bool]:
        with_events = await ctx.read(queries.job_has_events_behind, job_ids, page)
        return [job_id in with_events for job_id in job_ids]

    has: bool = await ctx.loader(("events behind", _window_key(page)), batch).load(job_id)
    return has


def _window_key(page: Window) -> tuple[object, ...]:
    """Return a key that is equal for equal windows over a job's events."""
    return (page.limit, tuple(page.after or ()), page.backward)

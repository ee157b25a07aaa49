"""Reads of events and attempts: lists over all jobs, and batches by job or id."""

from collections import defaultdict
from collections.abc import Awaitable, Collection, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from db import event_marks
from db.criteria import JobEventCriteria
from db.json_values import loads
from db.queries import attempts
from db.queries import events as queries
from db.queries import written as queries_written
from db.queries.attempts import AttemptRow
from db.queries.events import JobEventRow
from db.queries.keyset import EVENTS_NEWEST_FIRST, EVENTS_OF_JOB, Window
from db.queries.written import Members, WrittenRows
from resolvers.attempts import Attempt, from_row
from resolvers.context import Context
from resolvers.counting import Count, as_count, check_at_most, count_up_to
from resolvers.ids import EventId
from resolvers.narrowing import narrowed_events
from resolvers.paging import (
    ConnectionSource,
    Lists,
    PageArguments,
    PageNeeds,
    cut,
    list_size,
    looks_ahead,
    read_page,
    widened,
    window,
)

ROWS_ONLY = PageNeeds(rows=True, cursors=False, more_after=False, more_before=False)
LATEST = Window(EVENTS_OF_JOB, limit=1, backward=True)


def is_exact(event: JobEventRow) -> bool:
    """Return whether the time of an event is exact. The row has its detail."""
    detail = event.detail
    # Only details with the mark are parsed.
    return (
        not detail or f'"{event_marks.MARK}"' not in detail or event_marks.is_exact(loads(detail))
    )


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
    criteria = await narrowed_events(ctx, criteria)
    rows, more = await read_page(
        page, needs, lambda wider: ctx.read(queries.list_events, criteria, wider, columns)
    )

    async def count(_keys: Sequence[None], at_most: int | None) -> list[Count]:
        def counted(most: int | None) -> Awaitable[int]:
            return ctx.read(queries.count_events, criteria, most)

        return [await count_up_to(at_most, counted)]

    async def behind(_keys: Sequence[None]) -> list[bool]:
        return [await ctx.read(queries.event_exists_behind, criteria, page)]

    return ConnectionSource(Lists(page, count, behind), None, rows, more)


async def list_events_of_jobs(
    ctx: Context,
    job_ids: Sequence[UUID],
    arguments: PageArguments,
    needs: PageNeeds,
    columns: Collection[str],
    members: Members | None = None,
) -> list[ConnectionSource]:
    """Return a page of the events of each job, oldest first; concurrent calls are batched.

    With `members`, the rows of a page may be WrittenRows. Raises BadUserInputError and
    InvalidCursorError for invalid page arguments.
    """
    page = window(EVENTS_OF_JOB, arguments, ctx.limits)
    lists = Lists(page, partial(_count_events, ctx), partial(_has_events_behind, ctx, page))
    if not needs.rows and not looks_ahead(page, needs):
        return [ConnectionSource(lists, job_id, (), None) for job_id in job_ids]
    if members is not None and not looks_ahead(page, needs):
        written = await _written_events(ctx, job_ids, page, columns, members)
        return [
            ConnectionSource(lists, job_id, rows, None)
            for job_id, rows in zip(job_ids, written, strict=True)
        ]
    found = await _events_of_jobs(ctx, job_ids, widened(page, needs), columns)
    return [
        ConnectionSource(lists, job_id, *cut(page, rows, needs))
        for job_id, rows in zip(job_ids, found, strict=True)
    ]


async def get_latest_events(
    ctx: Context, job_ids: Sequence[UUID], columns: Collection[str]
) -> list[JobEventRow | None]:
    """Return the newest event of each job; concurrent calls are batched into one statement."""
    found = await _events_of_jobs(ctx, job_ids, LATEST, columns)
    return [rows[0] if rows else None for rows in found]


async def list_attempts(
    ctx: Context, job_ids: Sequence[UUID], last: int | None, details: Collection[str]
) -> Sequence[list[Attempt]]:
    """Return the newest attempts of each job, oldest first; concurrent calls are batched.

    `details`: the keys of their events' details to read. Raises BadUserInputError if `last` is out
    of bounds.
    """
    size = list_size(last, "last", ctx.limits)
    batch = partial(_load_attempts, ctx, last=size, details=details)
    return await ctx.load(("attempts", size, frozenset(details)), batch, job_ids)


async def get_events(
    ctx: Context, ids: Sequence[EventId], columns: Collection[str]
) -> Sequence[JobEventRow | None]:
    """Return events in the order of their ids, None for each unknown one.

    Concurrent calls are batched into one statement.
    """
    batch = partial(_load_events, ctx, columns=columns)
    return await ctx.load(("events by id", frozenset(columns)), batch, ids)


async def _load_events_by_job(
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


async def _load_attempts(
    ctx: Context, job_ids: Sequence[UUID], last: int, details: Collection[str]
) -> list[list[Attempt]]:
    """Load the newest `last` attempts of many jobs, oldest first."""
    by_job: defaultdict[UUID, list[AttemptRow]] = defaultdict(list)
    for row in await ctx.read(attempts.load_attempts_by_job, job_ids, last, details):
        by_job[row.job_id].append(row)
    in_order = (sorted(by_job[job_id], key=lambda row: row.seq) for job_id in job_ids)
    return [[from_row(row) for row in rows] for rows in in_order]


async def _load_events(
    ctx: Context, ids: Sequence[EventId], columns: Collection[str]
) -> list[JobEventRow | None]:
    """Load many events, in the order of the ids, None for each unknown id."""
    rows = await ctx.read(queries.load_events_by_id, ids, columns)
    by_id = {(row.job_id, row.seq): row for row in rows}
    return [by_id.get(event_id) for event_id in ids]


async def _events_of_jobs(
    ctx: Context, job_ids: Sequence[UUID], page: Window, columns: Collection[str]
) -> Sequence[list[JobEventRow]]:
    batch = partial(_load_events_by_job, ctx, page=page, columns=columns)
    return await ctx.load(("events", _window_key(page), frozenset(columns)), batch, job_ids)


async def _written_events(
    ctx: Context, job_ids: Sequence[UUID], page: Window, columns: Collection[str], members: Members
) -> list[Any]:
    """Return the window's events of each job as WrittenRows, as rows where that cannot be."""

    async def batch(missing: Sequence[UUID]) -> list[WrittenRows | None]:
        written = await ctx.read(queries_written.write_events_by_job, missing, page, members)
        visible = ctx.without_secrets(written) if "detail" in members.leaves.names else written
        return [visible.get(job_id) for job_id in missing]

    found = await ctx.load(("written events", _window_key(page), members), batch, job_ids)
    rest = [job_id for job_id, rows in zip(job_ids, found, strict=True) if rows is None]
    if not rest:
        return found
    rows = await _events_of_jobs(ctx, rest, page, columns)
    by_job = {
        job_id: cut(page, each, ROWS_ONLY)[0] for job_id, each in zip(rest, rows, strict=True)
    }
    return [
        by_job[job_id] if each is None else each
        for job_id, each in zip(job_ids, found, strict=True)
    ]


async def _count_events(ctx: Context, job_ids: Sequence[UUID], at_most: int | None) -> list[Count]:
    async def batch(missing: Sequence[UUID]) -> list[int]:
        counts = await ctx.read(queries.count_events_by_job, missing, at_most)
        return [counts.get(job_id, 0) for job_id in missing]

    check_at_most(at_most)
    counts = await ctx.load(("event counts", at_most), batch, job_ids)
    return [as_count(count, at_most) for count in counts]


async def _has_events_behind(ctx: Context, page: Window, job_ids: Sequence[UUID]) -> Sequence[bool]:
    async def batch(missing: Sequence[UUID]) -> list[bool]:
        with_events = await ctx.read(queries.job_has_events_behind, missing, page)
        return [job_id in with_events for job_id in missing]

    return await ctx.load(("events behind", _window_key(page)), batch, job_ids)


def _window_key(page: Window) -> tuple[object, ...]:
    """Return a key that is equal for equal windows over a job's events."""
    return (page.limit, page.after, page.backward)

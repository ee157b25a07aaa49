"""Why a queued job waits: what goes first, and what its queue does."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import UUID

from db.queries.queue_activity import MOST_EVENTS, list_starts, load_last_starts
from db.queries.queue_counts import count_by_queue
from db.queries.queue_orders import QueueOrderRow, load_queue_orders
from db.statuses import JobStatus
from resolvers.context import Context
from resolvers.counting import Count
from resolvers.errors import BadUserInputError

WAITING_COLUMNS = frozenset({"status", "queue", "attempt", "queued_at", "scheduled_at"})

# The jobs ahead that are counted, unless asked for otherwise, and at most.
AHEAD, MOST_AHEAD = 1_000, 10_000
# "Lately", and how many starts are a basis for an estimate.
LATELY = timedelta(minutes=15)
MIN_STARTS = 10
_MINUTE = timedelta(minutes=1)


class WaitingReason(StrEnum):
    """Why a job waits."""

    SCHEDULED = "scheduled"
    BACKING_OFF = "backing_off"
    BEHIND_OTHERS = "behind_others"
    NO_RECENT_STARTS = "no_recent_starts"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A queued job. `is_timed`: it has a time; `has_run`: it was started before."""

    id: UUID
    queue: str
    due_at: datetime
    is_due: bool
    is_timed: bool
    has_run: bool


@dataclass(frozen=True, slots=True)
class Starts:
    """The starts of a queue's jobs since a time, which is later than asked for if `is_cut`."""

    count: int
    last: datetime | None
    per_minute: float | None
    is_cut: bool


_NO_STARTS = Starts(0, None, None, is_cut=False)


def waiting_of(ctx: Context, jobs: Iterable[Any]) -> list[Waiting | None]:
    """Return each job with WAITING_COLUMNS as one that waits; None if it is not queued."""
    return [_waiting(job, ctx.now) if job.status == JobStatus.QUEUED else None for job in jobs]


def _waiting(job: Any, now: datetime) -> Waiting:
    scheduled = job.scheduled_at
    due_at = job.queued_at if scheduled is None else max(job.queued_at, scheduled)
    is_due = scheduled is None or scheduled <= now
    is_timed = scheduled is not None
    return Waiting(job.id, job.queue, due_at, is_due, is_timed, job.attempt > 0)


async def tell_reasons(ctx: Context, jobs: Sequence[Waiting]) -> list[list[WaitingReason]]:
    """Return all reasons that hold for each job."""
    ahead = await count_ahead(ctx, jobs)
    starts = await load_starts(ctx, jobs)
    return [list(each) for each in map(_reasons, jobs, ahead, starts)]


def _reasons(job: Waiting, ahead: Count, starts: Starts) -> Iterable[WaitingReason]:
    if not job.is_due:
        yield WaitingReason.BACKING_OFF if job.has_run else WaitingReason.SCHEDULED
        return
    if ahead.value:
        yield WaitingReason.BEHIND_OTHERS
    if not starts.count and not starts.is_cut:
        yield WaitingReason.NO_RECENT_STARTS


async def count_ahead(ctx: Context, jobs: Sequence[Waiting], at_most: int = AHEAD) -> list[Count]:
    """Count the due jobs of each job's queue that go first; all of them if it is not due yet.

    One statement for all jobs, which reads at most twice `at_most` jobs of each queue. Raises
    BadUserInputError.
    """
    if not 0 <= at_most <= MOST_AHEAD:
        raise BadUserInputError(f"'atMost' must be between 0 and {MOST_AHEAD}.")

    async def batch(missing: Sequence[Waiting]) -> list[Count]:
        queues = list(dict.fromkeys(job.queue for job in missing))
        due = [job.id for job in missing if job.is_due]
        rows = await ctx.read(load_queue_orders, queues, due, now=ctx.now, most=at_most + 1)
        orders = {row.queue: row for row in rows}
        places = _places(rows)
        return [_ahead(job, orders.get(job.queue), places, at_most) for job in missing]

    return await ctx.load(("jobs ahead", at_most), batch, jobs)


def _places(rows: Sequence[QueueOrderRow]) -> dict[UUID, tuple[int, bool]]:
    return {
        job_id: (place, is_certain)
        for row in rows
        for job_id, place, is_certain in zip(
            row.ids or (), row.places or (), row.are_certain or (), strict=True
        )
    }


def _ahead(
    job: Waiting,
    order: QueueOrderRow | None,
    places: dict[UUID, tuple[int, bool]],
    at_most: int,
) -> Count:
    if order is None:
        return Count(0, is_exact=True)
    if job.id in places:
        place, is_exact = places[job.id]
        before = place - 1
    elif job.is_due:
        # So many others go first that it was not read: at least those of its own kind do.
        is_exact = False
        before = order.timed_due if job.is_timed else order.due - order.timed_due
    else:
        before, is_exact = order.due, order.timed <= at_most
    return Count(min(before, at_most), is_exact and before <= at_most)


async def count_running(ctx: Context, jobs: Sequence[Waiting]) -> list[Count]:
    """Count the jobs of each job's queue that run."""

    async def batch(queues: Sequence[str]) -> list[Count]:
        counts = await ctx.read(count_by_queue)
        return [Count(counts.running[queue], counts.is_exact) for queue in queues]

    return await ctx.load("running by queue", batch, [job.queue for job in jobs])


async def load_starts(ctx: Context, jobs: Sequence[Waiting]) -> list[Starts]:
    """Load what started LATELY in each job's queue."""

    async def batch(queues: Sequence[str]) -> list[Starts]:
        rows = await ctx.read(list_starts, ctx.now - LATELY, ctx.now)
        is_cut = sum(row.events for row in rows) >= MOST_EVENTS
        since = min(row.first for row in rows) if is_cut else ctx.now - LATELY
        minutes = (ctx.now - since) / _MINUTE
        found = {
            row.queue: Starts(
                row.events, row.last, row.events / minutes if minutes >= 1 else None, is_cut
            )
            for row in rows
        }
        none = Starts(0, None, None, is_cut) if is_cut else _NO_STARTS
        return [found.get(queue, none) for queue in queues]

    return await ctx.load("starts by queue", batch, [job.queue for job in jobs])


async def estimate_starts(ctx: Context, jobs: Sequence[Waiting]) -> list[datetime | None]:
    """Estimate when each job starts; None where there is no basis for it."""
    ahead = await count_ahead(ctx, jobs)
    starts = await load_starts(ctx, jobs)
    return list(map(partial(_estimate, ctx.now), jobs, ahead, starts))


def _estimate(now: datetime, job: Waiting, ahead: Count, starts: Starts) -> datetime | None:
    has_basis = job.is_due and ahead.is_exact and starts.count >= MIN_STARTS
    if not has_basis or starts.per_minute is None:
        return None
    return now + (ahead.value + 1) / starts.per_minute * _MINUTE


async def get_last_starts(ctx: Context, jobs: Sequence[Waiting]) -> list[datetime | None]:
    """Return when a job of each job's queue last started, None if that is not known."""

    async def batch(queues: Sequence[str]) -> list[datetime | None]:
        found = await ctx.read(load_last_starts, queues, ctx.now)
        return [found.get(queue) for queue in queues]

    lately = await load_starts(ctx, jobs)
    before = await ctx.load("last start by queue", batch, [job.queue for job in jobs])
    known = zip((starts.last for starts in lately), before, strict=True)
    return [max(filter(None, each), default=None) for each in known]

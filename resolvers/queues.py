"""What each queue has to do, and how it gets on."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from db.criteria import JobCriteria, TextCriteria
from db.queries.dimensions import JobDimension
from db.queries.queue_counts import QueueCounts, count_by_queue
from db.queries.queue_heads import QueueHeadRow, load_queue_heads
from db.queries.timelines import Changes, count_changes_by
from db.queries.values import list_queued_queues
from db.statuses import JobStatus
from db.tallies.durations import Kind
from db.validation import text_fault
from resolvers.aggregates import DurationStats
from resolvers.context import Context
from resolvers.counting import Count
from resolvers.durations import elapsed_seconds
from resolvers.errors import BadUserInputError
from resolvers.timelines import duration_stats_of
from resolvers.waiting import MIN_STARTS

MINUTES, MAX_MINUTES = 15, 60
MAX_QUEUES = 200
# The jobs of each queue that are read: so many without a time, and so many with one.
MOST_READ = 1_000


@dataclass(frozen=True, slots=True)
class QueueSummary:
    """A queue now, and in the last minutes."""

    name: str
    due: Count
    scheduled: Count
    running: Count
    oldest_due_at: datetime | None
    latency_seconds: float | None
    started: int
    succeeded: int
    failed: int
    wait: DurationStats
    run: DurationStats
    drain_eta: datetime | None


async def list_queues(
    ctx: Context,
    minutes: int | None,
    first: int | None,
    only: Sequence[str] | None = None,
    *,
    with_durations: bool,
    with_heads: bool,
) -> list[QueueSummary]:
    """List the queues that have jobs queued or running, or whose jobs changed in these minutes.

    The `first`, at most MAX_QUEUES: those whose jobs changed most often, then those with the most
    jobs queued or running, then by name. `only`: these queues instead, also those without jobs.
    `with_heads`: with what is due in each, and when. Takes a number of statements that does not
    depend on the queues. Raises BadUserInputError.
    """
    span = timedelta(minutes=checked_minutes(minutes))
    limit = _checked_limit(first)
    only = _checked_names(only)
    criteria = None if only is None else JobCriteria(queue=TextCriteria(in_=only))
    changes = await _changes(ctx, criteria, span, with_durations=with_durations)
    counts = await ctx.read(count_by_queue, criteria)
    names = (await _names(ctx, only, changes, counts))[:limit]
    heads: dict[str, QueueHeadRow] = {}
    if with_heads:
        rows = await ctx.read(load_queue_heads, names, now=ctx.now, most=MOST_READ + 1)
        heads = {row.queue: row for row in rows}
    return [
        _summary(ctx.now, span, name, changes.get(name, Changes()), counts, heads.get(name))
        for name in names
    ]


def checked_minutes(minutes: int | None) -> int:
    """Return the minutes to look back. Raises BadUserInputError if these are too many or none."""
    if minutes is not None and not 1 <= minutes <= MAX_MINUTES:
        raise BadUserInputError(f"'minutes' must be between 1 and {MAX_MINUTES}.")
    return MINUTES if minutes is None else minutes


def _checked_limit(first: int | None) -> int:
    if first is not None and not 0 <= first <= MAX_QUEUES:
        raise BadUserInputError(f"'first' must be between 0 and {MAX_QUEUES}.")
    return MAX_QUEUES if first is None else first


def _checked_names(names: Sequence[str] | None) -> Sequence[str] | None:
    if names is None:
        return None
    if len(names) > MAX_QUEUES:
        raise BadUserInputError(f"'names' must have at most {MAX_QUEUES} values.")
    for fault in filter(None, map(text_fault, names)):
        raise BadUserInputError(fault)
    return list(dict.fromkeys(names))


async def _changes(
    ctx: Context, criteria: JobCriteria | None, span: timedelta, *, with_durations: bool
) -> dict[str, Changes]:
    """Count the changes of the MAX_QUEUES queues that have the most."""
    edges = [ctx.now - span, ctx.now]
    of_queue = criteria, edges, JobDimension.QUEUE, MAX_QUEUES
    found = await ctx.read(
        count_changes_by,
        *of_queue,
        now=ctx.now,
        with_durations=with_durations,
    )
    # The last may be that of all others.
    return {name: changes for name, (changes,) in found[:MAX_QUEUES] if name is not None}


async def _names(
    ctx: Context,
    only: Sequence[str] | None,
    changes: Mapping[str, Changes],
    counts: QueueCounts,
) -> list[str]:
    queued = counts.queued
    if queued is None:
        queued = Counter(await ctx.read(list_queued_queues) if only is None else ())
    waiting = queued + counts.running

    def rank(name: str) -> tuple[int, int, str]:
        changed = changes[name].entered.total() if name in changes else 0
        return -changed, -waiting[name], name

    return sorted({*changes, *waiting} if only is None else only, key=rank)


def _summary(
    now: datetime,
    span: timedelta,
    name: str,
    changes: Changes,
    counts: QueueCounts,
    head: QueueHeadRow | None,
) -> QueueSummary:
    due, scheduled = _queued(name, counts, head)
    entered = changes.entered
    next_due_at = head.next_due_at if head is not None and head.is_next_certain else None
    return QueueSummary(
        name=name,
        due=due,
        scheduled=scheduled,
        running=Count(counts.running[name], counts.is_exact),
        oldest_due_at=None if head is None else head.oldest_due_at,
        latency_seconds=None if next_due_at is None else elapsed_seconds(next_due_at, now),
        started=entered[JobStatus.RUNNING],
        succeeded=entered[JobStatus.SUCCEEDED],
        failed=entered[JobStatus.FAILED],
        wait=duration_stats_of(changes.durations.get(Kind.WAIT)),
        run=duration_stats_of(changes.durations.get(Kind.RUN)),
        drain_eta=_drained(now, span, due, changes),
    )


def _queued(name: str, counts: QueueCounts, head: QueueHeadRow | None) -> Sequence[Count]:
    """Count the queued jobs that are due, and that are not yet."""
    if head is None:
        return Count(0, is_exact=True), Count(0, is_exact=True)
    knows_later = head.timed <= MOST_READ
    later = Count(min(head.later, MOST_READ), knows_later)
    if head.due > MOST_READ and knows_later and counts.queued is not None:
        return Count(counts.queued[name] - head.later, is_exact=True), later
    is_exact = knows_later and head.due <= MOST_READ
    return Count(min(head.due, MOST_READ), is_exact), later


def _drained(now: datetime, span: timedelta, due: Count, changes: Changes) -> datetime | None:
    """Estimate when no job is due any more; None where there is no basis for it."""
    started = changes.entered[JobStatus.RUNNING]
    fewer = started - changes.entered[JobStatus.QUEUED]
    has_basis = due.is_exact and due.value > 0 and started >= MIN_STARTS
    return now + due.value / fewer * span if has_basis and fewer > 0 else None

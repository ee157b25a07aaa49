"""The beginnings of the three things that can be watched: events, a job, counts."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from uuid import UUID

from db.criteria import JobCriteria, JobEventCriteria
from db.queries.jobs import load_jobs_by_id
from db.queries.keyset import EVENTS_NEWEST_FIRST
from db.request_session import DatabaseUnavailableError, StatementTimeoutError
from db.snapshots import Snapshot
from resolvers import cursors
from resolvers.context import Context
from resolvers.errors import (
    BadUserInputError,
    UnavailableError,
)
from resolvers.live.fanout import Subscriber
from resolvers.live.feed import Feed
from resolvers.live.hub import Hub
from resolvers.live.progress import Progress
from resolvers.live.replay import Replay, TimeReplay
from resolvers.live.status_counts import StatusCountsFeed
from resolvers.live.streams import (
    JobStream,
    Stream,
    events_after,
    events_since,
    in_our_words,
    paced,
)
from resolvers.live.subscriber_queue import LiveEvent, SubscriberQueue

MAX_EVERY_SECONDS = 3600.0
# Two filters are one if they mean the same at this moment: some speak of how long ago things were.
ONE_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
EventCriteria = Callable[[datetime], JobEventCriteria | None]
CountCriteria = Callable[[datetime], JobCriteria | None]


async def watch_events(
    ctx: Context, criteria: EventCriteria, after: str | None, columns: Collection[str]
) -> Stream:
    """Watch the events that meet the criteria: from the cursor on, or from now.

    Raises InvalidCursorError, and what may keep a subscription from beginning.
    """
    place = cursors.decode_marked(EVENTS_NEWEST_FIRST, after, "after") if after else None
    filter_key = None if criteria(ONE_MOMENT) is None else repr(criteria(ONE_MOMENT))
    hub = _hub(ctx)
    inbox = SubscriberQueue(hub.options.queue_size)
    seat = Subscriber(
        inbox,
        columns=frozenset(columns),
        filter_key=filter_key,
        criteria=lambda: criteria(datetime.now(UTC)) or JobEventCriteria(),
    )
    release, feed = _enter(hub, ctx.viewer.org_id, seat)
    now = await _arrive(feed, seat if place is None else None, release)
    if place is None:
        return Stream(inbox, release)
    (start, *_), mark = place
    assert isinstance(start, datetime)
    org_id, reader = ctx.viewer.org_id, hub.reader(ctx.viewer.org_id)

    def wanted() -> JobEventCriteria | None:
        return criteria(datetime.now(UTC))

    # A mark that is ahead of the server's own count was made by another, before a restore.
    if mark is None or now is None or mark.seen.xmax > now.xmax:
        since = TimeReplay(reader, org_id, wanted, columns, hub.options)
        return Stream(inbox, release, events_since(start, since, feed, seat))
    past = Replay(reader, org_id, wanted, columns, Progress(mark.seen, mark.cut))
    return Stream(inbox, release, events_after(past, feed, seat))


async def watch_job(ctx: Context, job_id: UUID, columns: Collection[str]) -> Stream:
    """Watch a job: as it is now, then after each change, until it is terminal or gone.

    Raises BadUserInputError for an unknown job.
    """
    hub = _hub(ctx)
    seat = Subscriber(SubscriberQueue(1, only_latest=True), job_id=job_id)
    release, feed = _enter(hub, ctx.viewer.org_id, seat)
    try:
        await feed.take(seat)
        await _check_job(hub, ctx.viewer.org_id, job_id)
    except BaseException:
        release()
        raise
    # As it is now.
    seat.inbox.put([LiveEvent()])
    return JobStream(job_id, columns, seat.inbox, release)


async def watch_status_counts(
    ctx: Context, criteria: CountCriteria, every_seconds: float
) -> Stream:
    """Watch the counts by status: as they are now, then when changed, at most so often.

    Raises BadUserInputError for a pace that is out of bounds.
    """
    hub = _hub(ctx)
    least = hub.options.min_every_seconds
    if not least <= every_seconds <= MAX_EVERY_SECONDS:
        raise BadUserInputError(
            f"'everySeconds' must be between {least:g} and {MAX_EVERY_SECONDS:g}."
        )
    org_id = ctx.viewer.org_id
    key = repr(criteria(ONE_MOMENT))
    inbox = SubscriberQueue(1, only_latest=True)
    release_feed, feed = _enter(hub, org_id, Subscriber(inbox))
    # The feed first: what it has seen is in the count, and of what comes it tells.
    await _arrive(feed, None, release_feed)
    if inbox.has_ended:
        release_feed()
        raise UnavailableError
    watch = hub.counts(org_id, key, lambda: StatusCountsFeed(org_id, hub.reader(org_id), criteria))

    def release() -> None:
        hub.leave_counts(watch, inbox)
        release_feed()

    watch.join(inbox, every_seconds)
    return Stream(inbox, release, paced(inbox, every_seconds))


def _hub(ctx: Context) -> Hub:
    if ctx.live is None:
        raise UnavailableError
    return ctx.live


def _enter(hub: Hub, org_id: UUID, seat: Subscriber) -> tuple[Callable[[], None], Feed]:
    hub.admit(seat.inbox)
    feed = hub.feed(org_id)

    def release() -> None:
        hub.dismiss(seat.inbox)
        hub.leave(feed, seat)

    return release, feed


async def _check_job(hub: Hub, org_id: UUID, job_id: UUID) -> None:
    try:
        found = await hub.read(
            org_id, lambda session: load_jobs_by_id(session, org_id, [job_id], {"id"})
        )
    except (StatementTimeoutError, DatabaseUnavailableError) as error:
        raise in_our_words(error) from None
    if not found:
        raise BadUserInputError("There is no job with this id.")


async def _arrive(
    feed: Feed, seat: Subscriber | None, release: Callable[[], None]
) -> Snapshot | None:
    try:
        return await feed.take(seat)
    except BaseException:
        release()
        raise

"""Starts subscriptions: to events, to a job, to status counts, to new error groups."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from uuid import UUID

from db.criteria import JobCriteria, JobEventCriteria
from db.database_errors import DatabaseUnavailableError, StatementTimeoutError
from db.queries.jobs import load_jobs_by_id
from db.queries.keyset import EVENTS_NEWEST_FIRST
from db.snapshots import Snapshot
from resolvers import cursors
from resolvers.context import Context
from resolvers.error_groups import check_shown
from resolvers.errors import (
    BadUserInputError,
    UnavailableError,
)
from resolvers.live.fanout import GROUPS_NEWEST_FIRST, Subscriber
from resolvers.live.feed import Feed
from resolvers.live.group_replay import GroupCursor, groups_after
from resolvers.live.hub import Hub
from resolvers.live.progress import Progress, Selection
from resolvers.live.replay import Replay, TimeReplay
from resolvers.live.status_counts import StatusCountsFeed
from resolvers.live.streams import (
    JobStream,
    Stream,
    client_error,
    events_after,
    events_since,
    paced,
)
from resolvers.live.subscriber_queue import LiveEvent, SubscriberQueue

MAX_EVERY_SECONDS = 3600.0
# Filters are equal if they are equal at this moment: some depend on the current time.
ONE_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
EventCriteria = Callable[[datetime], JobEventCriteria | None]
CountCriteria = Callable[[datetime], JobCriteria | None]


async def subscribe_to_events(
    ctx: Context, criteria: EventCriteria, after: str | None, columns: Collection[str]
) -> Stream:
    """Subscribe to the events that meet the criteria, after the cursor or from now on.

    Raises InvalidCursorError, UnavailableError or QueryTimeoutError.
    """
    position = cursors.decode_marked(EVENTS_NEWEST_FIRST, after, "after") if after else None
    filter_key = None if criteria(ONE_MOMENT) is None else repr(criteria(ONE_MOMENT))
    hub = _hub(ctx)
    queue = SubscriberQueue(hub.options.queue_size)
    subscriber = Subscriber(
        queue,
        columns=frozenset(columns),
        filter_key=filter_key,
        criteria=lambda: criteria(datetime.now(UTC)) or JobEventCriteria(),
    )
    release, feed = _add(hub, ctx.viewer.org_id, subscriber)
    now = await _subscribe(feed, subscriber if position is None else None, release)
    if position is None:
        return Stream(queue, release)
    (start, *_), mark = position
    assert isinstance(start, datetime)
    org_id, reader = ctx.viewer.org_id, hub.reader(ctx.viewer.org_id)

    def select() -> Selection:
        return Selection(criteria(datetime.now(UTC)), columns)

    # A mark ahead of this server's transaction count was made by another server.
    if mark is None or now is None or mark.seen.xmax > now.xmax:
        since = TimeReplay(reader, org_id, select, hub.options)
        return Stream(queue, release, events_since(start, since, feed, subscriber))
    past = Replay(reader, org_id, select, Progress(mark.seen, mark.cut))
    return Stream(queue, release, events_after(past, feed, subscriber))


async def subscribe_to_job(ctx: Context, job_id: UUID, columns: Collection[str]) -> Stream:
    """Subscribe to a job: as it is now, and after each change, until it is terminal or deleted.

    Raises BadUserInputError for an unknown job.
    """
    hub = _hub(ctx)
    subscriber = Subscriber(SubscriberQueue(1, only_latest=True), job_id=job_id)
    release, feed = _add(hub, ctx.viewer.org_id, subscriber)
    try:
        await feed.subscribe(subscriber)
        await _check_job(hub, ctx.viewer.org_id, job_id)
    except BaseException:
        release()
        raise
    # Its current state.
    subscriber.queue.put([LiveEvent()])
    return JobStream(job_id, columns, subscriber.queue, release)


async def subscribe_to_status_counts(
    ctx: Context, criteria: CountCriteria, every_seconds: float
) -> Stream:
    """Subscribe to the counts by status: now, and when they change, at most every so often.

    Raises BadUserInputError for an interval out of bounds, UnavailableError or QueryTimeoutError.
    """
    hub = _hub(ctx)
    least = hub.options.min_every_seconds
    if not least <= every_seconds <= MAX_EVERY_SECONDS:
        raise BadUserInputError(
            f"'everySeconds' must be between {least:g} and {MAX_EVERY_SECONDS:g}."
        )
    org_id = ctx.viewer.org_id
    key = repr(criteria(ONE_MOMENT))
    queue = SubscriberQueue(1, only_latest=True)
    release_feed, feed = _add(hub, org_id, Subscriber(queue))
    # The feed first: what it has read is in the count, and it reports what comes after.
    await _subscribe(feed, None, release_feed)
    if queue.has_ended:
        release_feed()
        raise UnavailableError
    counts = hub.counts(org_id, key, lambda: StatusCountsFeed(org_id, hub.reader(org_id), criteria))

    def release() -> None:
        hub.release_counts(counts, queue)
        release_feed()

    counts.subscribe(queue, every_seconds)
    return Stream(queue, release, paced(queue, every_seconds))


async def subscribe_to_error_groups(ctx: Context, after: str | None) -> Stream:
    """Subscribe to the error groups whose first errors commit after the cursor, or from now on.

    Raises ForbiddenError if error messages are redacted for the viewer, InvalidCursorError,
    UnavailableError or QueryTimeoutError.
    """
    check_shown(ctx.viewer_redaction)
    position = cursors.decode_marked(GROUPS_NEWEST_FIRST, after, "after") if after else None
    hub = _hub(ctx)
    queue = SubscriberQueue(hub.options.queue_size)
    subscriber = Subscriber(queue, new_groups=True)
    release, feed = _add(hub, ctx.viewer.org_id, subscriber)
    now = await _subscribe(feed, subscriber, release)
    if position is None:
        return Stream(queue, release)
    (first_seen_at, group_id), mark = position
    assert isinstance(first_seen_at, datetime)
    assert isinstance(group_id, UUID)
    # A mark ahead of this server's transaction count was made by another server.
    is_own = mark is not None and now is not None and mark.seen.xmax <= now.xmax
    seen = mark.seen if mark is not None and is_own else None
    reach = timedelta(seconds=hub.options.late_seconds)
    cursor = GroupCursor(group_id, first_seen_at, seen, reach)
    org_id = ctx.viewer.org_id
    return Stream(queue, release, groups_after(cursor, hub.reader(org_id), org_id, queue))


def _hub(ctx: Context) -> Hub:
    if not isinstance(ctx.live, Hub):
        raise UnavailableError
    return ctx.live


def _add(hub: Hub, org_id: UUID, subscriber: Subscriber) -> tuple[Callable[[], None], Feed]:
    hub.add(subscriber.queue)
    feed = hub.feed(org_id)

    def release() -> None:
        hub.remove(subscriber.queue)
        hub.release_feed(feed, subscriber)

    return release, feed


async def _check_job(hub: Hub, org_id: UUID, job_id: UUID) -> None:
    try:
        found = await hub.read(
            org_id, lambda session: load_jobs_by_id(session, org_id, [job_id], {"id"})
        )
    except (StatementTimeoutError, DatabaseUnavailableError) as error:
        raise client_error(error) from None
    if not found:
        raise BadUserInputError("There is no job with this id.")


async def _subscribe(
    feed: Feed, subscriber: Subscriber | None, release: Callable[[], None]
) -> Snapshot | None:
    try:
        return await feed.subscribe(subscriber)
    except BaseException:
        release()
        raise

"""The live events of one subscription: of jobs' events, of one job, of status counts."""

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Collection,
    Iterator,
    Sequence,
)
from contextlib import aclosing
from datetime import datetime
from typing import Any
from uuid import UUID

from db.database_errors import DatabaseUnavailableError, StatementTimeoutError
from db.snapshots import Snapshot
from db.statuses import JobStatus
from resolvers.context import Context
from resolvers.errors import (
    JoblensError,
    QueryTimeoutError,
    UnavailableError,
)
from resolvers.jobs import get_job
from resolvers.live.fanout import EventEdge, Subscriber
from resolvers.live.feed import Feed
from resolvers.live.replay import Replay, TimeReplay
from resolvers.live.subscriber_queue import MAX_TAKEN, SENT, Delivery, LiveEvent, SubscriberQueue

# The columns that distinguish the states of a job.
JOB_STATE_COLUMNS = frozenset({"id", "status", "event_seq", "updated_at"})


class Stream(AsyncIterator[list[LiveEvent]]):
    """A subscription's live events, in lists of those that are delivered together.

    Call `aclose` however it ends: it removes the subscriber.
    """

    def __init__(
        self,
        queue: SubscriberQueue,
        release: Callable[[], None],
        events: AsyncGenerator[list[LiveEvent], None] | None = None,
    ) -> None:
        self._queue = queue
        self._events = events
        self._release: Callable[[], None] | None = release

    async def __anext__(self) -> list[LiveEvent]:
        if self._events is not None:
            return await anext(self._events)
        events = await self._queue.take()
        if not events:
            raise StopAsyncIteration
        return events

    async def read(self, event: LiveEvent, _ctx: Context) -> Any:
        """Get the value to respond with, read in the response's snapshot; None if there is none."""
        return event.value

    def delivery(self, _value: Any) -> Delivery:
        """Decide whether a value is sent to this subscriber, and whether it is the last."""
        return SENT

    async def aclose(self) -> None:
        """Remove the subscriber. Again, it does nothing."""
        release, self._release = self._release, None
        if release is not None:
            release()
        # A generator that is being awaited ends by itself: its queue has ended.
        if self._events is not None and not getattr(self._events, "ag_running", False):
            await self._events.aclose()


class JobStream(Stream):
    """The states of a job, each delivered once; the last is terminal."""

    def __init__(
        self,
        job_id: UUID,
        columns: Collection[str],
        queue: SubscriberQueue,
        release: Callable[[], None],
    ) -> None:
        super().__init__(queue, release)
        self._job_id = job_id
        self._columns = JOB_STATE_COLUMNS.union(columns)
        self._sent: tuple[int, datetime] | None = None

    async def read(self, _event: LiveEvent, ctx: Context) -> Any:
        return await get_job(ctx, self._job_id, self._columns)

    def delivery(self, value: Any) -> Delivery:
        if value is None:
            return Delivery(is_sent=False, is_last=True)
        state = (value.event_seq, value.updated_at)
        is_new, self._sent = state != self._sent, state
        return Delivery(is_new, JobStatus(value.status).is_terminal)


async def events_after(
    past: Replay, feed: Feed, subscriber: Subscriber
) -> AsyncGenerator[list[LiveEvent], None]:
    """Replay past events, subscribe to the feed, replay those committed until then, go on live.

    A snapshot divides replayed from live events: none comes twice.
    """
    try:
        async with aclosing(_pages(past, subscriber.queue)) as pages:
            async for page in pages:
                yield page
        if not subscriber.queue.has_ended:
            until = await feed.subscribe(subscriber)
            async with aclosing(_pages(past, subscriber.queue, until)) as pages:
                async for page in pages:
                    yield page
    except (StatementTimeoutError, DatabaseUnavailableError) as error:
        raise client_error(error) from None
    while live := await subscriber.queue.take():
        yield live


async def _pages(
    past: Replay, queue: SubscriberQueue, until: Snapshot | None = None
) -> AsyncGenerator[list[LiveEvent], None]:
    async with aclosing(past.pages(until)) as pages:
        async for page in pages:
            for some in chunks(list(map(EventEdge, page.rows, page.progress))):
                if queue.has_ended:
                    return
                yield some


def chunks(edges: Sequence[Any]) -> Iterator[list[LiveEvent]]:
    """Divide edges into lists that are delivered together."""
    for first in range(0, len(edges), MAX_TAKEN):
        yield [LiveEvent(edge) for edge in edges[first : first + MAX_TAKEN]]


async def events_since(
    start: datetime, past: TimeReplay, feed: Feed, subscriber: Subscriber
) -> AsyncGenerator[list[LiveEvent], None]:
    """Replay past events, subscribe to the feed, replay those committed meanwhile, go on live.

    An event that commits after the subscription comes live; one that committed before is in the
    pages that are read after it. Some are in both, and are delivered once.
    """
    try:
        async with aclosing(_past(start, past, subscriber.queue)) as pages:
            async for page in pages:
                yield page
        if not subscriber.queue.has_ended:
            await feed.subscribe(subscriber)
        async with aclosing(_past(start, past, subscriber.queue)) as pages:
            async for page in pages:
                yield page
    except (StatementTimeoutError, DatabaseUnavailableError) as error:
        raise client_error(error) from None
    polls = feed.polls
    while live := await subscriber.queue.take():
        if unseen := [each for each in live if not past.has_delivered(each.value.node)]:
            yield unseen
        if feed.polls > polls + 1 and not len(subscriber.queue):
            # The feed has passed all that the pages could have had.
            past.forget()


async def _past(
    start: datetime, past: TimeReplay, queue: SubscriberQueue
) -> AsyncGenerator[list[LiveEvent], None]:
    async with aclosing(past.pages(start)) as pages:
        async for page in pages:
            for some in chunks(list(map(EventEdge, page))):
                if queue.has_ended:
                    return
                yield some


async def paced(
    queue: SubscriberQueue, every_seconds: float
) -> AsyncGenerator[list[LiveEvent], None]:
    while events := await queue.take():
        yield events
        await queue.pause(every_seconds)


def client_error(error: StatementTimeoutError | DatabaseUnavailableError) -> JoblensError:
    timed_out = isinstance(error, StatementTimeoutError)
    return QueryTimeoutError() if timed_out else UnavailableError()

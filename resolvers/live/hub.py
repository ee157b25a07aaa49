"""The hub of one process: a feed for each organisation that has subscribers."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from time import monotonic
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from db.effort import Effort
from db.engine import Scope
from db.fair_queue import FairQueue
from db.listener import Listener
from db.pool import notifier_of
from db.request_session import RequestSession
from resolvers.errors import UnavailableError
from resolvers.live.fanout import Subscriber
from resolvers.live.feed import Feed, Read
from resolvers.live.figures import Figures
from resolvers.live.options import LiveOptions
from resolvers.live.status_counts import StatusCountsFeed
from resolvers.live.subscriber_queue import SubscriberQueue

T = TypeVar("T")

# Connections of the pool, which requests share, that live reads use at most.
CONCURRENT_READS = 4
# The key of live reads in the pool's fair queue, beside those of viewers.
READER = "live"


class Hub:
    """One per process. It connects to nothing until there is a subscriber."""

    def __init__(self, engine: AsyncEngine, url: str, options: LiveOptions | None = None) -> None:
        self.options = options or LiveOptions()
        self._engine = engine
        notifier = notifier_of(engine)
        self._listener = Listener(
            url,
            on_notification=self._wake_feed,
            on_connected=self._wake_all,
            send=None if notifier is None else notifier.send,
            connect_timeout_seconds=self.options.connect_timeout_seconds,
            keep_alive_seconds=self.options.keep_alive_seconds,
            hearing_seconds=self.options.hearing_seconds,
        )
        self._feeds: dict[UUID, Feed] = {}
        self._counts: dict[tuple[UUID, str], StatusCountsFeed] = {}
        self._users: dict[Feed | StatusCountsFeed, int] = {}
        self._queues: set[SubscriberQueue] = set()
        self._reading = FairQueue(CONCURRENT_READS)
        self._tasks: set[asyncio.Task[Any]] = set()
        self.is_closing = False
        self.figures = Figures()

    @property
    def queued(self) -> Sequence[int]:
        """How many events wait for each subscriber."""
        return list(map(len, self._queues))

    @property
    def feeds(self) -> int:
        """The number of organisations whose events are read."""
        return len(self._feeds)

    @property
    def lag_seconds(self) -> float:
        """For how long the events of an organisation have not been read to their end, at most."""
        oldest = min((feed.read_until for feed in self._feeds.values()), default=None)
        return 0.0 if oldest is None else monotonic() - oldest

    @property
    def subscriptions(self) -> int:
        """The number of subscribers."""
        return len(self._queues)

    @property
    def hears(self) -> bool | None:
        """Whether notifications are heard; None if nothing listens, or it is not known yet."""
        return self._listener.hears

    def add(self, queue: SubscriberQueue) -> None:
        """Add a subscriber's queue. Raises UnavailableError once the hub is closing."""
        if self.is_closing:
            raise UnavailableError
        self._listener.start()
        self._queues.add(queue)

    def remove(self, queue: SubscriberQueue) -> None:
        """End and remove a subscriber's queue. After the last one, LISTEN stops."""
        self._queues.discard(queue)
        queue.end()
        if not self._queues:
            self.spawn(self._stop_listening())

    async def _stop_listening(self) -> None:
        # A subscriber may have been added meanwhile.
        if not self._queues:
            await self._listener.stop()

    def feed(self, org_id: UUID) -> Feed:
        """Get the organisation's feed, started if there is none, for one more user."""
        feed = self._feeds.get(org_id)
        if feed is None:

            def wake_counts() -> None:
                for (whose, _), watch in self._counts.items():
                    if whose == org_id:
                        watch.wake()

            feed = Feed(
                org_id,
                self.reader(org_id),
                self.options,
                wake_counts,
                self.figures,
                lambda: self.hears is True,
            )
            self._feeds[org_id] = feed
            feed.start()
        self._users[feed] = self._users.get(feed, 0) + 1
        return feed

    def release_feed(self, feed: Feed, subscriber: Subscriber | None = None) -> None:
        """Release a feed; without users it is closed."""
        if subscriber is not None:
            feed.unsubscribe(subscriber)
        if self._is_unused(feed):
            self._feeds = {k: v for k, v in self._feeds.items() if v is not feed}
            self.spawn(feed.close())

    def counts(
        self, org_id: UUID, key: str, make: Callable[[], StatusCountsFeed]
    ) -> StatusCountsFeed:
        """Get the organisation's counts under this filter, started if needed, for one more user."""
        watch = self._counts.get((org_id, key))
        if watch is None:
            watch = self._counts[org_id, key] = make()
            watch.start()
        self._users[watch] = self._users.get(watch, 0) + 1
        return watch

    def release_counts(self, watch: StatusCountsFeed, queue: SubscriberQueue) -> None:
        """Release counts; without users they are closed."""
        watch.unsubscribe(queue)
        if self._is_unused(watch):
            self._counts = {k: v for k, v in self._counts.items() if v is not watch}
            self.spawn(watch.close())

    def _is_unused(self, shared: Feed | StatusCountsFeed) -> bool:
        self._users[shared] -= 1
        if self._users[shared]:
            return False
        del self._users[shared]
        return True

    def reader(self, org_id: UUID) -> Read:
        """Bind `read` to an organisation."""

        async def read(query: Callable[[AsyncSession], Awaitable[T]]) -> T:
            return await self.read(org_id, query)

        return read

    async def read(self, org_id: UUID, query: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Run a query in a transaction of its own, over before this returns.

        Raises StatementTimeoutError and DatabaseUnavailableError.
        """
        scope = Scope(org_id, self.options.statement_timeout_seconds)
        async with (
            self._reading.slot(org_id),
            RequestSession(self._engine, scope, (READER, org_id)) as session,
            # A plan for any organisation may read all events of a large one.
            session.use(Effort.VARYING) as begun,
        ):
            return await query(begun)

    def spawn(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Run a task that `stop` waits for."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # The caller may be gone: retrieve the exception, so that it is not logged.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    def end_all(self) -> None:
        """End all subscriptions, and accept no more."""
        self.is_closing = True
        for queue in self._queues:
            queue.end()

    async def stop(self) -> None:
        """End all subscriptions, tasks and connections."""
        self.end_all()
        await self._listener.stop()
        for watch in list(self._counts.values()):
            await watch.close()
        for feed in list(self._feeds.values()):
            await feed.close()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _wake_feed(self, org_id: UUID) -> None:
        feed = self._feeds.get(org_id)
        if feed is not None:
            feed.wake()

    def _wake_all(self) -> None:
        for feed in self._feeds.values():
            feed.wake(everything=True)

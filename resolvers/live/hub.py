"""The hub: all that one process watches. A feed for each organisation that somebody watches."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from db.engine import Scope
from db.fair_queue import FairQueue
from db.listener import Listener
from db.request_session import RequestSession
from resolvers.errors import UnavailableError
from resolvers.live.fanout import Subscriber
from resolvers.live.feed import Feed, Read
from resolvers.live.options import LiveOptions
from resolvers.live.status_counts import StatusCountsFeed
from resolvers.live.subscriber_queue import SubscriberQueue

T = TypeVar("T")

# What is watched shares the pool with the requests: it takes at most so many connections of it.
CONCURRENT_READS = 4
# Whose turn at the pool it is then: not that of a viewer.
READER = "live"


class Hub:
    """One a process. It does nothing, and connects nowhere, until somebody watches."""

    def __init__(self, engine: AsyncEngine, url: str, options: LiveOptions | None = None) -> None:
        self.options = options or LiveOptions()
        self._engine = engine
        self._listener = Listener(
            url,
            news=self._hear,
            reconnected=self._hear_everything,
            connect_timeout_seconds=self.options.connect_timeout_seconds,
            keep_alive_seconds=self.options.keep_alive_seconds,
        )
        self._feeds: dict[UUID, Feed] = {}
        self._counts: dict[tuple[UUID, str], StatusCountsFeed] = {}
        self._users: dict[Feed | StatusCountsFeed, int] = {}
        self._inboxes: set[SubscriberQueue] = set()
        self._reading = FairQueue(CONCURRENT_READS)
        self._tasks: set[asyncio.Task[Any]] = set()
        self.is_closing = False

    @property
    def subscriptions(self) -> int:
        """How many watch."""
        return len(self._inboxes)

    def admit(self, inbox: SubscriberQueue) -> None:
        """Count in one more who watches. Raises UnavailableError once the hub is closing."""
        if self.is_closing:
            raise UnavailableError
        self._listener.start()
        self._inboxes.add(inbox)

    def dismiss(self, inbox: SubscriberQueue) -> None:
        """Count out who watched. Where nobody is left, nobody listens."""
        self._inboxes.discard(inbox)
        inbox.end()
        if not self._inboxes:
            self.spawn(self._rest())

    async def _rest(self) -> None:
        # Somebody may have come again meanwhile.
        if not self._inboxes:
            await self._listener.stop()

    def feed(self, org_id: UUID) -> Feed:
        """Get the organisation's feed for one more user, begun if there is none."""
        feed = self._feeds.get(org_id)
        if feed is None:

            def tell_counts() -> None:
                for (whose, _), watch in self._counts.items():
                    if whose == org_id:
                        watch.notice()

            feed = Feed(org_id, self.reader(org_id), self.options, tell_counts)
            self._feeds[org_id] = feed
            feed.start()
        self._users[feed] = self._users.get(feed, 0) + 1
        return feed

    def leave(self, feed: Feed, seat: Subscriber | None = None) -> None:
        """Give the feed back; without users it ends."""
        if seat is not None:
            feed.leave(seat)
        if self._is_unused(feed):
            self._feeds = {k: v for k, v in self._feeds.items() if v is not feed}
            self.spawn(feed.close())

    def counts(
        self, org_id: UUID, key: str, make: Callable[[], StatusCountsFeed]
    ) -> StatusCountsFeed:
        """Get the organisation's counts under this filter, for one more user."""
        watch = self._counts.get((org_id, key))
        if watch is None:
            watch = self._counts[org_id, key] = make()
            watch.start()
        self._users[watch] = self._users.get(watch, 0) + 1
        return watch

    def leave_counts(self, watch: StatusCountsFeed, inbox: SubscriberQueue) -> None:
        """Give the counts back; without users they are counted no more."""
        watch.leave(inbox)
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
            session.use() as begun,
        ):
            return await query(begun)

    def spawn(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Run work that `stop` waits for."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # Who asked may have gone: an error is theirs, and nobody else's.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    def end_all(self) -> None:
        """Let all subscriptions complete, and admit no more."""
        self.is_closing = True
        for inbox in self._inboxes:
            inbox.end()

    async def stop(self) -> None:
        """End all subscriptions, and leave nothing behind that runs or is connected."""
        self.end_all()
        await self._listener.stop()
        for watch in list(self._counts.values()):
            await watch.close()
        for feed in list(self._feeds.values()):
            await feed.close()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _hear(self, org_id: UUID) -> None:
        feed = self._feeds.get(org_id)
        if feed is not None:
            feed.notice()

    def _hear_everything(self) -> None:
        for feed in self._feeds.values():
            feed.notice(everything=True)

"""The new events of one organisation, read once for all of its subscribers."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from time import monotonic
from typing import Protocol, TypeVar
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from db.database_errors import DatabaseUnavailableError, StatementTimeoutError
from db.snapshots import Snapshot
from resolvers.errors import JoblensError, QueryTimeoutError, UnavailableError
from resolvers.live.fanout import Batch, Subscriber, dispatch, read_batch, read_gone
from resolvers.live.figures import Figures
from resolvers.live.new_groups import GroupWatch
from resolvers.live.options import LiveOptions
from resolvers.live.time_tracker import TimeTracker
from resolvers.live.trackers import NewEvents, Tracker, start_tracker

T = TypeVar("T")
# A subscriber that waits for the next read, and the result of its `subscribe`.
PendingSubscription = tuple[Subscriber | None, "asyncio.Future[Snapshot | None]"]


class Read(Protocol):
    """Runs a query of one organisation in a transaction of its own."""

    async def __call__(self, query: Callable[[AsyncSession], Awaitable[T]]) -> T: ...


# Between two reads: a burst of notifications costs a few reads a second, not one each.
PAUSE_SECONDS = 0.02
# After a read that failed.
RETRY_SECONDS = 1.0
# In a burst larger than the queues: how long to wait for subscribers to empty theirs.
PATIENCE_SECONDS = 1.0

log = structlog.get_logger("joblens.live")


class Feed:
    """One organisation's feed. It runs from `start` to `close`, in a task of its own.

    `on_change` is called when anything may have changed, also without a new event.
    """

    def __init__(
        self,
        org_id: UUID,
        read: Read,
        options: LiveOptions,
        on_change: Callable[[], None],
        figures: Figures | None = None,
    ) -> None:
        self._org_id = org_id
        self._read = read
        self._options = options
        self._on_change = on_change
        self._figures = figures or Figures()
        self._batch_size = max(1, options.queue_size // 2)
        self._subscribers: set[Subscriber] = set()
        self._pending: list[PendingSubscription] = []
        # Made by the first read.
        self._tracker: Tracker | None = None
        self._groups = GroupWatch(org_id)
        self.polls = 0
        # When the read began that last left nothing unread.
        self.read_until = monotonic()
        self._woken = asyncio.Event()
        self._poll_is_due = True
        self._notified = False
        self._closed = False
        self._failing = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start reading."""
        # It outlives the request that needs it first, and is of many others.
        self._task = asyncio.create_task(self._run(), context=Context())

    def wake(self, *, everything: bool = False) -> None:
        """Read soon; with `everything`, as a poll does."""
        self._notified = True
        self._poll_is_due |= everything
        self._woken.set()

    async def subscribe(self, subscriber: Subscriber | None) -> Snapshot | None:
        """Add a subscriber: it gets exactly the events that commit after this returns.

        Those are the events that the returned snapshot does not see; None where the feed uses
        times. Without a subscriber: wait until all that is committed by now has been delivered.
        Raises UnavailableError or QueryTimeoutError.
        """
        if self._closed:
            raise UnavailableError
        done: asyncio.Future[Snapshot | None] = asyncio.get_running_loop().create_future()
        self._pending.append((subscriber, done))
        self._woken.set()
        return await done

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Remove a subscriber, also one that is not added yet."""
        self._subscribers.discard(subscriber)
        self._pending = [each for each in self._pending if each[0] is not subscriber]

    async def close(self) -> None:
        """Stop, and wait for the read that is running: cancelling it would cost a connection."""
        self._closed = True
        self._woken.set()
        if self._task is not None:
            await self._task
        _refuse(self._pending, UnavailableError())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        poll_at = loop.time()
        while True:
            try:
                async with asyncio.timeout_at(poll_at):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()
            if self._closed:
                return
            # By the clock: with frequent notifications the wait never times out.
            polls, self._poll_is_due = self._poll_is_due or loop.time() >= poll_at, False
            notified, self._notified = self._notified, False
            await self._tick(polls=polls, notified=notified)
            if polls:
                poll_at = loop.time() + self._options.poll_seconds
            if self._failing:
                poll_at = min(poll_at, loop.time() + RETRY_SECONDS)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _tick(self, *, polls: bool, notified: bool) -> None:
        pending, self._pending = self._pending, []
        began_at = monotonic()
        try:
            new_events = await self._advance(pending, polls=polls, notified=notified)
        except Exception as error:  # noqa: BLE001 - subscriptions must not end
            self._log_failure(error)
            self._poll_is_due = True
            self._refuse(pending, error)
            return
        self._failing = False
        if new_events.has_more:
            self._poll_is_due |= polls
            self._woken.set()
        else:
            self.read_until = began_at
            self.polls += polls
            for subscriber in self._subscribers:
                subscriber.since = None
        self._add_pending(pending, new_events)
        if new_events.has_more:
            await self._wait_for_slow_subscribers()

    def _add_pending(self, pending: list[PendingSubscription], new_events: NewEvents) -> None:
        if new_events.has_more and new_events.snapshot is None:
            # They get what is new from now on: first all that is older is delivered.
            self._pending = pending + self._pending
            return
        for subscriber, done in pending:
            if done.done():
                continue
            if subscriber is not None:
                # Events that this snapshot sees, and the feed has not reached, are older.
                subscriber.since = new_events.snapshot if new_events.has_more else None
                self._subscribers.add(subscriber)
            done.set_result(new_events.snapshot)

    def _refuse(self, pending: list[PendingSubscription], error: Exception) -> None:
        refused = pending
        if self._groups.is_loading:
            # Of no concern to the others, who would be refused for a slow query of these.
            self._groups.forget()
            refused = [each for each in pending if _wants_groups(each[0])]
            self._pending = [each for each in pending if each not in refused] + self._pending
            self._woken.set()
        _refuse(refused, _client_error(error))

    def _log_failure(self, error: Exception) -> None:
        if not self._failing:
            self._failing = True
            expected = isinstance(error, DatabaseUnavailableError | StatementTimeoutError)
            log.warning(
                "cannot read new events",
                reason=type(error).__name__,
                exc_info=None if expected else error,
            )

    async def _advance(
        self, pending: list[PendingSubscription], *, polls: bool, notified: bool
    ) -> NewEvents:
        """Read new events, and dispatch them."""
        watches_groups = any(map(_wants_groups, self._subscribers)) or any(
            _wants_groups(subscriber) for subscriber, _ in pending
        )
        if not watches_groups:
            self._groups.forget()

        async def read(session: AsyncSession) -> tuple[Tracker, NewEvents, Batch]:
            tracker = self._tracker or await start_tracker(
                session,
                self._org_id,
                lambda: TimeTracker(self._org_id, self._options.window_seconds),
            )
            new_events = await tracker.read(session, self._batch_size, polls=polls)
            batch = await read_batch(session, self._org_id, new_events, self._subscribers)
            if watches_groups:
                batch.groups = await self._groups.read(session, batch.keys)
            # A notification without a new event may be of a deletion.
            if polls or (notified and not new_events.rows):
                batch.gone = await read_gone(session, self._org_id, self._subscribers)
            return tracker, new_events, batch

        self._tracker, new_events, batch = await self._read(read)
        dispatch(batch, self._subscribers)
        self._figures.add(batch.rows.values())
        self._groups.keep(batch.groups)
        new_events.keep()
        if batch.keys or notified:
            self._on_change()
        return new_events

    async def _wait_for_slow_subscribers(self) -> None:
        """In a burst, give subscribers time to take what is in their queues."""
        room = self._options.queue_size - self._batch_size
        queues = [subscriber.queue for subscriber in self._subscribers if subscriber.job_id is None]
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while any(len(queue) > room for queue in queues):
            if asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(PAUSE_SECONDS)


def _wants_groups(subscriber: Subscriber | None) -> bool:
    return subscriber is not None and subscriber.new_groups


def _refuse(pending: list[PendingSubscription], error: JoblensError) -> None:
    for _, done in pending:
        if not done.done():
            done.set_exception(error)


def _client_error(error: Exception) -> JoblensError:
    if isinstance(error, StatementTimeoutError):
        return QueryTimeoutError()
    return UnavailableError()

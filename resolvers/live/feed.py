"""What is new in one organisation, read once however many watch, and handed to all of them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from db.request_session import DatabaseUnavailableError, StatementTimeoutError
from db.snapshots import Snapshot
from resolvers.errors import JoblensError, QueryTimeoutError, UnavailableError
from resolvers.live.fanout import Batch, Subscriber, dispatch, read_batch, read_gone
from resolvers.live.options import LiveOptions
from resolvers.live.time_tracker import TimeTracker
from resolvers.live.trackers import Fresh, Tracker, start_tracker

T = TypeVar("T")
# A subscriber that has yet to be taken in, and what it is answered then.
Arrival = tuple[Subscriber | None, "asyncio.Future[Snapshot | None]"]


class Read(Protocol):
    """Runs a query of one organisation in a transaction of its own."""

    async def __call__(self, query: Callable[[AsyncSession], Awaitable[T]]) -> T: ...


# Between two reads: a burst of notifications costs a few reads a second, not one each.
PAUSE_SECONDS = 0.02
# After a read that failed.
RETRY_SECONDS = 1.0
# How long a burst larger than the queues waits for those who empty theirs.
PATIENCE_SECONDS = 1.0

log = structlog.get_logger("joblens.live")


class Feed:
    """One organisation's feed. It runs from `start` to `close`, in a task of its own.

    `on_news` is called when anything may have changed, also what leaves no new event.
    """

    def __init__(
        self, org_id: UUID, read: Read, options: LiveOptions, on_news: Callable[[], None]
    ) -> None:
        self._org_id = org_id
        self._read = read
        self._options = options
        self._on_news = on_news
        self._batch_size = max(1, options.queue_size // 2)
        self._seats: set[Subscriber] = set()
        self._arriving: list[Arrival] = []
        # Made by the first read.
        self._tracker: Tracker | None = None
        self.polls = 0
        self._wake = asyncio.Event()
        self._must_poll = True
        self._heard = False
        self._closed = False
        self._failing = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to read."""
        self._task = asyncio.create_task(self._run())

    def notice(self, *, everything: bool = False) -> None:
        """Read soon; with `everything`, as a poll does."""
        self._heard = True
        self._must_poll |= everything
        self._wake.set()

    async def take(self, seat: Subscriber | None) -> Snapshot | None:
        """Take a subscriber in: it is told what commits after this returns, and all of that.

        That is what the snapshot that is returned does not see; None where the feed goes by times.
        Without a seat: wait until what is committed by now has been told. Raises UnavailableError
        or QueryTimeoutError.
        """
        if self._closed:
            raise UnavailableError
        taken: asyncio.Future[Snapshot | None] = asyncio.get_running_loop().create_future()
        self._arriving.append((seat, taken))
        self._wake.set()
        return await taken

    def leave(self, seat: Subscriber) -> None:
        """Let a subscriber go; one that has not arrived will not."""
        self._seats.discard(seat)
        self._arriving = [each for each in self._arriving if each[0] is not seat]

    async def close(self) -> None:
        """Read no more, and wait for what is being read: cancelling it would cost a connection."""
        self._closed = True
        self._wake.set()
        if self._task is not None:
            await self._task
        _refuse(self._arriving, UnavailableError())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        poll_at = loop.time()
        while True:
            try:
                async with asyncio.timeout_at(poll_at):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            if self._closed:
                return
            # Asked of the clock: notifications may come so quickly that nothing ever times out.
            polls, self._must_poll = self._must_poll or loop.time() >= poll_at, False
            heard, self._heard = self._heard, False
            await self._tick(polls=polls, heard=heard)
            if polls:
                poll_at = loop.time() + self._options.poll_seconds
            if self._failing:
                poll_at = min(poll_at, loop.time() + RETRY_SECONDS)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _tick(self, *, polls: bool, heard: bool) -> None:
        arriving, self._arriving = self._arriving, []
        try:
            fresh = await self._advance(polls=polls, heard=heard)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who watch must not end
            self._tell_failure(error)
            self._must_poll = True
            _refuse(arriving, _refusal(error))
            return
        self._failing = False
        if fresh.has_more:
            self._must_poll |= polls
            self._wake.set()
        else:
            self.polls += polls
            for seat in self._seats:
                seat.since = None
        self._take_in(arriving, fresh)
        if fresh.has_more:
            await self._wait_for_room()

    def _take_in(self, arriving: list[Arrival], fresh: Fresh) -> None:
        if fresh.has_more and fresh.snapshot is None:
            # Who arrives is told what is new from now: first all that is not.
            self._arriving = arriving + self._arriving
            return
        for seat, taken in arriving:
            if taken.done():
                continue
            if seat is not None:
                # What the feed has yet to come to, and this snapshot sees, was there before it.
                seat.since = fresh.snapshot if fresh.has_more else None
                self._seats.add(seat)
            taken.set_result(fresh.snapshot)

    def _tell_failure(self, error: Exception) -> None:
        if not self._failing:
            self._failing = True
            expected = isinstance(error, DatabaseUnavailableError | StatementTimeoutError)
            log.warning(
                "cannot read what is new",
                reason=type(error).__name__,
                exc_info=None if expected else error,
            )

    async def _advance(self, *, polls: bool, heard: bool) -> Fresh:
        """Read what is new and hand it out."""

        async def read(session: AsyncSession) -> tuple[Tracker, Fresh, Batch]:
            tracker = self._tracker or await start_tracker(
                session,
                self._org_id,
                lambda: TimeTracker(self._org_id, self._options.window_seconds),
            )
            fresh = await tracker.read(session, self._batch_size, polls=polls)
            batch = await read_batch(session, self._org_id, fresh, self._seats)
            if polls:
                batch.gone = await read_gone(session, self._org_id, self._seats)
            return tracker, fresh, batch

        self._tracker, fresh, batch = await self._read(read)
        dispatch(batch, self._seats)
        fresh.keep()
        if batch.keys or heard:
            self._on_news()
        return fresh

    async def _wait_for_room(self) -> None:
        """In a burst, give those who are quick enough the time to take what they have."""
        room = self._options.queue_size - self._batch_size
        inboxes = [seat.inbox for seat in self._seats if seat.job_id is None]
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while any(len(inbox) > room for inbox in inboxes):
            if asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(PAUSE_SECONDS)


def _refuse(arriving: list[Arrival], error: JoblensError) -> None:
    for _, taken in arriving:
        if not taken.done():
            taken.set_exception(error)


def _refusal(error: Exception) -> JoblensError:
    if isinstance(error, StatementTimeoutError):
        return QueryTimeoutError()
    return UnavailableError()

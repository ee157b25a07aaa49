"""What is new in one organisation, read once however many watch, and handed to all of them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import news
from db.queries.news import EventKey
from db.sessions import DatabaseUnavailableError, StatementTimeoutError
from resolvers.errors import JoblensError, QueryTimeoutError, UnavailableError
from resolvers.live.batches import Batch, Seat, hand_out, read_batch, read_gone
from resolvers.live.options import LiveOptions

T = TypeVar("T")


class Read(Protocol):
    """Runs a query of one organisation in a transaction of its own."""

    async def __call__(self, query: Callable[[AsyncSession], Awaitable[T]]) -> T: ...


# Between two reads: a burst of notifications costs a few reads a second, not one each.
PAUSE_SECONDS = 0.02
# How far behind the last poll a notification makes us look; the poll looks through the window.
NEAR = timedelta(seconds=2)
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
        self._window = timedelta(seconds=options.window_seconds)
        self._batch_size = max(1, options.queue_size // 2)
        self._seats: set[Seat] = set()
        self._arriving: list[tuple[Seat | None, asyncio.Future[None]]] = []
        # What was told, or was there before anybody watched; of it, what may be read again.
        self._seen: dict[EventKey, datetime] = {}
        # The database's time at the last poll, and the oldest `ts` that is still read.
        self._polled_at: datetime | None = None
        self._floor: datetime | None = None
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
        """Read soon; with `everything`, the whole window."""
        self._heard = True
        self._must_poll |= everything
        self._wake.set()

    async def take(self, seat: Seat | None) -> None:
        """Take a subscriber in: it is told what commits after this returns, and all of that.

        Without a seat: wait until what is committed by now has been told. Raises UnavailableError
        or QueryTimeoutError.
        """
        if self._closed:
            raise UnavailableError
        taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arriving.append((seat, taken))
        self._wake.set()
        await taken

    def leave(self, seat: Seat) -> None:
        """Let a subscriber go; one that has not arrived will not."""
        self._seats.discard(seat)
        self._arriving = [each for each in self._arriving if each[0] is not seat]

    async def close(self) -> None:
        """Read no more, and wait for what is being read: cancelling it would cost a connection."""
        self._closed = True
        self._wake.set()
        if self._task is not None:
            await self._task
        self._settle(self._arriving, UnavailableError())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        poll_at = loop.time()
        while True:
            try:
                async with asyncio.timeout_at(poll_at):
                    await self._wake.wait()
            except TimeoutError:
                self._must_poll = True
            self._wake.clear()
            if self._closed:
                return
            polls, self._must_poll = self._must_poll, False
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
            has_more = await self._advance(polls=polls, heard=heard)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who watch must not end
            self._tell_failure(error)
            self._must_poll = True
            self._settle(arriving, _refusal(error))
            return
        self._failing = False
        if has_more:
            # Who arrives is told what is new from now: first all that is not.
            self._arriving = arriving + self._arriving
            self._must_poll |= polls
            self._wake.set()
            await self._wait_for_room()
            return
        self._settle(arriving, None)

    def _settle(
        self, arriving: list[tuple[Seat | None, "asyncio.Future[None]"]], error: Exception | None
    ) -> None:
        for seat, taken in arriving:
            if taken.done():
                continue
            if error is not None:
                taken.set_exception(error)
                continue
            if seat is not None:
                self._seats.add(seat)
            taken.set_result(None)

    def _tell_failure(self, error: Exception) -> None:
        if not self._failing:
            self._failing = True
            expected = isinstance(error, DatabaseUnavailableError | StatementTimeoutError)
            log.warning(
                "cannot read what is new",
                reason=type(error).__name__,
                exc_info=None if expected else error,
            )

    async def _advance(self, *, polls: bool, heard: bool) -> bool:
        """Read what is new and hand it out; tell whether there is more than one batch of it."""
        first = self._polled_at is None
        polls = polls or first

        async def read(session: AsyncSession) -> tuple[datetime | None, Batch]:
            now = await news.get_time(session) if polls else None
            floor = self._floor if self._floor is not None else _required(now) - self._window
            since = floor if polls else max(floor, _required(self._polled_at) - NEAR)
            fresh = self._unseen(await news.list_event_keys(session, self._org_id, since))
            if first:
                self._seen.update(((row.job_id, row.seq), row.ts) for row in fresh)
                return now, Batch([])
            if not polls and (job_ids := self._with_unknown_past(fresh)):
                past = await news.list_event_keys(session, self._org_id, floor, job_ids)
                fresh = sorted({*fresh, *self._unseen(past)})
            batch = await read_batch(session, self._org_id, fresh, self._seats, self._batch_size)
            if polls:
                batch.gone = await read_gone(session, self._org_id, self._seats)
            return now, batch

        now, batch = await self._read(read)
        self._seen.update(hand_out(batch, self._seats))
        if now is not None and not batch.has_more:
            self._move_on(now)
        if batch.keys or heard:
            self._on_news()
        return batch.has_more

    def _unseen(self, rows: Sequence[Any]) -> list[Any]:
        return [row for row in rows if (row.job_id, row.seq) not in self._seen]

    def _with_unknown_past(self, fresh: Sequence[Any]) -> list[UUID]:
        """Get the jobs that may have an event before these which was neither told nor read now.

        It is older than the look around after a notification reaches: rarely new, mostly long told.
        """
        read = {(row.job_id, row.seq) for row in fresh}
        before = ((row.job_id, row.seq - 1) for row in fresh if row.seq > 1)
        return sorted({key[0] for key in before if key not in read and key not in self._seen})

    def _move_on(self, now: datetime) -> None:
        """Look from now on only at the window before this poll, and forget what lies before it."""
        self.polls += 1
        self._polled_at = now
        # Never back, though the clock be set back: what was forgotten would be told again.
        floor = now - self._window
        self._floor = floor if self._floor is None else max(floor, self._floor)
        self._seen = {key: ts for key, ts in self._seen.items() if ts >= self._floor}

    async def _wait_for_room(self) -> None:
        """In a burst, give those who are quick enough the time to take what they have."""
        room = self._options.queue_size - self._batch_size
        inboxes = [seat.inbox for seat in self._seats if seat.job_id is None]
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while any(len(inbox) > room for inbox in inboxes):
            if asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(PAUSE_SECONDS)


def _required(time: datetime | None) -> datetime:
    assert time is not None
    return time


def _refusal(error: Exception) -> JoblensError:
    if isinstance(error, StatementTimeoutError):
        return QueryTimeoutError()
    return UnavailableError()

"""What one subscription is told, one after another: of events, of a job, of counts."""

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

from db.request_session import DatabaseUnavailableError, StatementTimeoutError
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
from resolvers.live.subscriber_queue import MOST_TAKEN, TOLD, Delivery, LiveEvent, SubscriberQueue

# What tells one state of a job from another.
JOB_STATE_COLUMNS = frozenset({"id", "status", "event_seq", "updated_at"})


class Stream(AsyncIterator[list[LiveEvent]]):
    """What happens to what one subscription watches, in lists of what is told together.

    However it ends, `aclose` must be called: it frees the subscription's place.
    """

    def __init__(
        self,
        inbox: SubscriberQueue,
        release: Callable[[], None],
        happenings: AsyncGenerator[list[LiveEvent], None] | None = None,
    ) -> None:
        self._inbox = inbox
        self._happenings = happenings
        self._release: Callable[[], None] | None = release

    async def __anext__(self) -> list[LiveEvent]:
        if self._happenings is not None:
            return await anext(self._happenings)
        happenings = await self._inbox.take()
        if not happenings:
            raise StopAsyncIteration
        return happenings

    async def read(self, happening: LiveEvent, _ctx: Context) -> Any:
        """Get what is told of it, in the snapshot of the response that tells it; None: nothing."""
        return happening.value

    def judge(self, _told: Any) -> Delivery:
        """Say whether that is news to this subscription at all, and whether it is the last."""
        return TOLD

    async def aclose(self) -> None:
        """Leave; left already, do nothing."""
        release, self._release = self._release, None
        if release is not None:
            release()
        # One that is being waited for ends by itself: its inbox has.
        if self._happenings is not None and not getattr(self._happenings, "ag_running", False):
            await self._happenings.aclose()


class JobStream(Stream):
    """The states of a job. Each is told once, the last when it is terminal."""

    def __init__(
        self,
        job_id: UUID,
        columns: Collection[str],
        inbox: SubscriberQueue,
        release: Callable[[], None],
    ) -> None:
        super().__init__(inbox, release)
        self._job_id = job_id
        self._columns = JOB_STATE_COLUMNS.union(columns)
        self._told: tuple[int, datetime] | None = None

    async def read(self, _happening: LiveEvent, ctx: Context) -> Any:
        return await get_job(ctx, self._job_id, self._columns)

    def judge(self, told: Any) -> Delivery:
        if told is None:
            return Delivery(is_told=False, is_last=True)
        state = (told.event_seq, told.updated_at)
        is_news, self._told = state != self._told, state
        return Delivery(is_news, JobStatus(told.status).is_terminal)


async def events_after(
    past: Replay, feed: Feed, seat: Subscriber
) -> AsyncGenerator[list[LiveEvent], None]:
    """Tell the past, take the seat, tell what was committed until then, then what the seat gets.

    A snapshot divides the two: nothing comes twice.
    """
    try:
        async with aclosing(_pieces(past, seat.inbox)) as pieces:
            async for piece in pieces:
                yield piece
        if not seat.inbox.has_ended:
            until = await feed.take(seat)
            async with aclosing(_pieces(past, seat.inbox, until)) as pieces:
                async for piece in pieces:
                    yield piece
    except (StatementTimeoutError, DatabaseUnavailableError) as error:
        raise in_our_words(error) from None
    while heard := await seat.inbox.take():
        yield heard


async def _pieces(
    past: Replay, inbox: SubscriberQueue, until: Snapshot | None = None
) -> AsyncGenerator[list[LiveEvent], None]:
    async with aclosing(past.pieces(until)) as pieces:
        async for piece in pieces:
            for some in _divided(list(map(EventEdge, piece.rows, piece.progress))):
                if inbox.has_ended:
                    return
                yield some


def _divided(edges: Sequence[EventEdge]) -> Iterator[list[LiveEvent]]:
    for first in range(0, len(edges), MOST_TAKEN):
        yield [LiveEvent(edge) for edge in edges[first : first + MOST_TAKEN]]


async def events_since(
    start: datetime, past: TimeReplay, feed: Feed, seat: Subscriber
) -> AsyncGenerator[list[LiveEvent], None]:
    """Tell the past in pages, take the seat, tell what came between, then what the seat is told.

    What commits after the seat is taken comes by it; what committed before is in the pages that
    are read after. Some is in both, and is told once.
    """
    try:
        async with aclosing(_past(start, past, seat.inbox)) as pages:
            async for page in pages:
                yield page
        if not seat.inbox.has_ended:
            await feed.take(seat)
        async with aclosing(_past(start, past, seat.inbox)) as pages:
            async for page in pages:
                yield page
    except (StatementTimeoutError, DatabaseUnavailableError) as error:
        raise in_our_words(error) from None
    polls = feed.polls
    while heard := await seat.inbox.take():
        if news := [each for each in heard if not past.has_told(each.value.node)]:
            yield news
        if feed.polls > polls + 1 and not len(seat.inbox):
            # All that the pages could have had is behind the feed by now.
            past.forget()


async def _past(
    start: datetime, past: TimeReplay, inbox: SubscriberQueue
) -> AsyncGenerator[list[LiveEvent], None]:
    async with aclosing(past.pages(start)) as pages:
        async for page in pages:
            for some in _divided(list(map(EventEdge, page))):
                if inbox.has_ended:
                    return
                yield some


async def paced(
    inbox: SubscriberQueue, every_seconds: float
) -> AsyncGenerator[list[LiveEvent], None]:
    while happenings := await inbox.take():
        yield happenings
        await inbox.pause(every_seconds)


def in_our_words(error: StatementTimeoutError | DatabaseUnavailableError) -> JoblensError:
    timed_out = isinstance(error, StatementTimeoutError)
    return QueryTimeoutError() if timed_out else UnavailableError()

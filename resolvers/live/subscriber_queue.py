"""What passes from a feed to its subscribers: live events, and each subscriber's bounded queue."""

import asyncio
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from resolvers.errors import JoblensError, SlowConsumerError

# How many events are taken from a queue at once at most.
MAX_TAKEN = 100


class SharedResponse:
    """A response to a live event, once a subscriber has computed it, for others who get the same.

    `settled` is set when the computation has ended, also without success.
    """

    __slots__ = ("is_done", "response", "settled", "value")

    def __init__(self) -> None:
        self.is_done = False
        self.value: Any = None
        self.response: Any = None
        self.settled: asyncio.Event | None = None


class LiveEvent:
    """One change, passed as this one object to all of its subscribers.

    `value`: the edge of a job's event, or the status counts. `responses`: by the key of the
    subscriptions that share them; they are freed with the event.
    """

    __slots__ = ("responses", "value")

    def __init__(self, value: Any = None) -> None:
        self.value = value
        self.responses: dict[Hashable, SharedResponse] = {}


@dataclass(frozen=True, slots=True)
class Delivery:
    """Whether a live event is sent to a subscriber, and whether it is the last."""

    is_sent: bool = True
    is_last: bool = False


SENT = Delivery()


class SubscriberQueue:
    """The live events that wait for one subscriber, at most `limit`; beyond that it is ended.

    With `only_latest` a new event replaces the waiting one. One task takes from the queue.
    """

    def __init__(self, limit: int, *, only_latest: bool = False) -> None:
        self._limit = limit
        self._only_latest = only_latest
        self._waiting: list[LiveEvent] = []
        self._waiter: asyncio.Future[None] | None = None
        self._error: JoblensError | None = None
        self.has_ended = False

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, events: Sequence[LiveEvent]) -> None:
        """Add events. Those beyond the limit end the queue, and drop what waits in it."""
        if self.has_ended or not events:
            return
        if self._only_latest:
            self._waiting = [events[-1]]
        elif len(self._waiting) + len(events) > self._limit:
            self._waiting = []
            self.end(SlowConsumerError(self._limit))
            return
        else:
            self._waiting += events
        self._wake()

    def end(self, error: JoblensError | None = None) -> None:
        """Accept no more events. Waiting ones can still be taken, then the error is raised."""
        if not self.has_ended:
            self.has_ended = True
            self._error = error
            self._wake()

    async def take(self) -> list[LiveEvent]:
        """Wait for events, and take at most `MAX_TAKEN`.

        At the end, return none or raise the error that the queue ended with.
        """
        while not self._waiting:
            if self._error is not None:
                raise self._error
            if self.has_ended:
                return []
            await self._change()
        taken, self._waiting = self._waiting[:MAX_TAKEN], self._waiting[MAX_TAKEN:]
        return taken

    async def pause(self, seconds: float) -> None:
        """Wait for so long, or until the queue ends."""
        try:
            async with asyncio.timeout(seconds):
                while not self.has_ended:
                    await self._change()
        except TimeoutError:
            pass

    async def _change(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

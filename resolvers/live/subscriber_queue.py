"""What passes from a feed to its subscribers: happenings, and the bounded inbox of each."""

import asyncio
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from resolvers.errors import JoblensError, SlowConsumerError

# How many happenings are told together at most.
MOST_TAKEN = 100


class SharedResponse:
    """What subscribers are told of a happening, once it has been worked out by one of them."""

    __slots__ = ("done", "response", "settled", "told")

    def __init__(self) -> None:
        self.done = False
        self.told: Any = None
        self.response: Any = None
        # Set when whoever works it out has done so, or has given up.
        self.settled: asyncio.Event | None = None


class LiveEvent:
    """One thing that happened, told to many as this one object.

    `value`: an event's edge, or the counts. `answers` are for whoever tells of it: an answer that
    is the same for many is kept here, and goes when the last of them has taken it.
    """

    __slots__ = ("answers", "value")

    def __init__(self, value: Any = None) -> None:
        self.value = value
        self.answers: dict[Hashable, SharedResponse] = {}


@dataclass(frozen=True, slots=True)
class Delivery:
    """What becomes of a happening, once what is told of it is known."""

    is_told: bool = True
    is_last: bool = False


TOLD = Delivery()


class SubscriberQueue:
    """What waits for one subscriber, at most `limit` happenings; who comes too late is ended.

    With `only_latest` a new happening takes the place of the one before. One task takes from it.
    """

    def __init__(self, limit: int, *, only_latest: bool = False) -> None:
        self._limit = limit
        self._only_latest = only_latest
        self._waiting: list[LiveEvent] = []
        self._taker: asyncio.Future[None] | None = None
        self._error: JoblensError | None = None
        self.has_ended = False

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, happenings: Sequence[LiveEvent]) -> None:
        """Leave happenings; those that find no room end the inbox, and free what waits in it."""
        if self.has_ended or not happenings:
            return
        if self._only_latest:
            self._waiting = [happenings[-1]]
        elif len(self._waiting) + len(happenings) > self._limit:
            self._waiting = []
            self.end(SlowConsumerError(self._limit))
            return
        else:
            self._waiting += happenings
        self._wake()

    def end(self, error: JoblensError | None = None) -> None:
        """Let nothing more in. What waits is still handed out, then the error, if there is one."""
        if not self.has_ended:
            self.has_ended = True
            self._error = error
            self._wake()

    async def take(self) -> list[LiveEvent]:
        """Wait for happenings and take what is there, at most `MOST_TAKEN`.

        At the end get none, or raise the error it ended with.
        """
        while not self._waiting:
            if self._error is not None:
                raise self._error
            if self.has_ended:
                return []
            await self._change()
        taken, self._waiting = self._waiting[:MOST_TAKEN], self._waiting[MOST_TAKEN:]
        return taken

    async def pause(self, seconds: float) -> None:
        """Wait for so long, or until the inbox ends."""
        try:
            async with asyncio.timeout(seconds):
                while not self.has_ended:
                    await self._change()
        except TimeoutError:
            pass

    async def _change(self) -> None:
        self._taker = asyncio.get_running_loop().create_future()
        await self._taker

    def _wake(self) -> None:
        if self._taker is not None and not self._taker.done():
            self._taker.set_result(None)

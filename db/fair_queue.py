"""Slots for what may run at once, handed out fairly to keys, however much one of them asks for.

Counting and waiting is all that is done here: what a key or a slot stands for lives elsewhere.
"""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Line:
    """Of one key: how many slots it holds, and those that it waits for, in their order."""

    held: int = 0
    waiting: "dict[Lease, None]" = field(default_factory=dict)


class FairQueue:
    """Of the keys that wait, the one that holds fewest is next; of equals, they take turns.

    The last quarter of the slots is for keys that hold none: so one key leaves room for others,
    and what is short need not wait for what is long if they ask by different keys.
    """

    def __init__(self, size: int) -> None:
        self._free = size
        self._reserved = size // 4
        # In the order of their turns.
        self._lines: dict[Hashable, _Line] = {}

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(len(line.waiting) for line in self._lines.values())

    def request(self, key: Hashable) -> "Lease":
        """Ask for a slot; who asked waits for it and releases it, also where it did not come."""
        slot = Lease(self, key)
        self._lines.setdefault(key, _Line()).waiting[slot] = None
        self._serve()
        return slot

    @asynccontextmanager
    async def slot(self, key: Hashable) -> AsyncIterator[None]:
        """Wait for a slot, and hold it."""
        slot = self.request(key)
        try:
            await slot.wait()
            yield
        finally:
            slot.release()

    def take_back(self, key: Hashable, slot: "Lease") -> None:
        """Let others have the slot, or strike it off if it waits."""
        line = self._lines[key]
        if slot in line.waiting:
            del line.waiting[slot]
        else:
            line.held -= 1
            self._free += 1
            # It has had its turn.
            self._lines[key] = self._lines.pop(key)
        if not line.held and not line.waiting:
            del self._lines[key]
        self._serve()

    def _serve(self) -> None:
        while self._free and (line := self._next()) is not None:
            slot = next(iter(line.waiting))
            del line.waiting[slot]
            line.held += 1
            self._free -= 1
            slot.settle()

    def _next(self) -> _Line | None:
        waiting = (line for line in self._lines.values() if line.waiting)
        first = min(waiting, key=lambda line: line.held, default=None)
        if first is not None and first.held and self._free <= self._reserved:
            return None
        return first


class Lease:
    """One slot that was asked for: waited for, held, then released."""

    __slots__ = ("_failure", "_key", "_queue", "_settled")

    def __init__(self, queue: FairQueue, key: Hashable) -> None:
        self._queue: FairQueue | None = queue
        self._key = key
        self._settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._failure: Exception | None = None

    async def wait(self, timeout_seconds: float | None = None) -> None:
        """Wait until it is held. Raises TimeoutError, and what it was refused for."""
        if not self._settled.done():
            try:
                async with asyncio.timeout(timeout_seconds):
                    await self._settled
            except BaseException:
                self.release()
                raise
        if self._failure is not None:
            raise self._failure

    def settle(self) -> None:
        """End the wait for it."""
        if not self._settled.done():
            self._settled.set_result(None)

    def refuse(self, failure: Exception) -> None:
        """Let who waits for it have the failure instead, at once; held already, do nothing."""
        if not self._settled.done():
            self._failure = failure
            self.release()
            self.settle()

    def release(self) -> None:
        """Give it back, or wait for it no more; saying so again does nothing."""
        queue, self._queue = self._queue, None
        if queue is not None:
            queue.take_back(self._key, self)

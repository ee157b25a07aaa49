"""A fair queue for a limited number of slots, shared by keys such as organisations."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Line:
    """The slots that one key holds, and its waiting leases in order."""

    held: int = 0
    waiting: "dict[Lease, None]" = field(default_factory=dict)


class FairQueue:
    """Grants slots to the waiting key that holds the fewest; equal keys take turns.

    The last quarter of the slots is reserved for keys that hold none, so that one key cannot take
    all slots and its long tasks do not delay the short ones of other keys.
    """

    def __init__(self, size: int) -> None:
        self._free = size
        self._reserved = size // 4
        # The key at the front is next among equals.
        self._lines: dict[Hashable, _Line] = {}

    @property
    def waiting(self) -> int:
        """The number of waiting leases."""
        return sum(len(line.waiting) for line in self._lines.values())

    def request(self, key: Hashable) -> "Lease":
        """Request a slot. The caller waits for the lease, and releases it in any case."""
        lease = Lease(self, key)
        self._lines.setdefault(key, _Line()).waiting[lease] = None
        self._grant()
        return lease

    @asynccontextmanager
    async def slot(self, key: Hashable) -> AsyncIterator[None]:
        """Hold a slot while the body runs; wait for it first."""
        lease = self.request(key)
        try:
            await lease.wait()
            yield
        finally:
            lease.release()

    def release(self, key: Hashable, lease: "Lease") -> None:
        """Free the slot of a lease, or remove the lease if it is waiting."""
        line = self._lines[key]
        if lease in line.waiting:
            del line.waiting[lease]
        else:
            line.held -= 1
            self._free += 1
            # The key moves to the end of the turns.
            self._lines[key] = self._lines.pop(key)
        if not line.held and not line.waiting:
            del self._lines[key]
        self._grant()

    def _grant(self) -> None:
        while self._free and (line := self._next()) is not None:
            lease = next(iter(line.waiting))
            del line.waiting[lease]
            line.held += 1
            self._free -= 1
            lease.settle()

    def _next(self) -> _Line | None:
        waiting = (line for line in self._lines.values() if line.waiting)
        first = min(waiting, key=lambda line: line.held, default=None)
        if first is not None and first.held and self._free <= self._reserved:
            return None
        return first


class Lease:
    """A requested slot: waiting, then held, then released."""

    __slots__ = ("_failure", "_key", "_queue", "_settled")

    def __init__(self, queue: FairQueue, key: Hashable) -> None:
        self._queue: FairQueue | None = queue
        self._key = key
        self._settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._failure: Exception | None = None

    async def wait(self, timeout_seconds: float | None = None) -> None:
        """Wait until the slot is held. Raises TimeoutError, or the failure given to `refuse`."""
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
        """End the wait."""
        if not self._settled.done():
            self._settled.set_result(None)

    def refuse(self, failure: Exception) -> None:
        """End the wait with an error; no effect once the slot is held."""
        if not self._settled.done():
            self._failure = failure
            self.release()
            self.settle()

    def release(self) -> None:
        """Release the slot or stop waiting for it; calling it again has no effect."""
        queue, self._queue = self._queue, None
        if queue is not None:
            queue.release(self._key, self)

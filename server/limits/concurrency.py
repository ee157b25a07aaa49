"""Bounds on how many things run at once: in the process, and for each viewer."""

from collections.abc import Hashable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from resolvers.errors import ErrorCode
from server.limits.errors import BusyError


@dataclass(frozen=True, slots=True)
class Kind:
    """What is bounded: its name in messages, and the codes of refusals.

    `too_many`: for one viewer. `full`: for the process.
    """

    name: str
    too_many: ErrorCode
    full: ErrorCode


class ConcurrencyLimiter:
    """Slots for things of one kind: `limit` in the process, `limit_per_key` for each key.

    A key may not hold more slots than are free. So one viewer gets half of them at most, and
    however much the others use, there is a slot left for a new viewer.
    """

    def __init__(self, kind: Kind, limit: int, limit_per_key: int) -> None:
        self._kind = kind
        self._limit = limit
        self._limit_per_key = limit_per_key
        self._used = 0
        self._used_by: dict[Hashable, int] = {}

    def acquire(self, key: Hashable) -> "Slot":
        """Acquire a slot. Raises BusyError."""
        free = self._limit - self._used
        used = self._used_by.get(key, 0)
        if free <= 0:
            message = f"The server has as many {self._kind.name} as it takes. Try again shortly."
            raise BusyError(self._kind.full, message)
        if used >= self._limit_per_key or used >= free:
            message = f"You have as many {self._kind.name} at once as you may. Let one end first."
            raise BusyError(self._kind.too_many, message)
        self._used += 1
        self._used_by[key] = used + 1
        return Slot(self, key)

    def release(self, key: Hashable) -> None:
        """Free a slot of this key."""
        self._used -= 1
        used = self._used_by.pop(key) - 1
        if used:
            self._used_by[key] = used

    def __len__(self) -> int:
        return self._used


class Slot:
    """An acquired slot. It is released once, however often `release` is called."""

    __slots__ = ("_key", "_limiter")

    def __init__(self, limiter: ConcurrencyLimiter, key: Hashable) -> None:
        self._limiter: ConcurrencyLimiter | None = limiter
        self._key = key

    def release(self) -> None:
        """Release the slot."""
        limiter, self._limiter = self._limiter, None
        if limiter is not None:
            limiter.release(self._key)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        type_: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

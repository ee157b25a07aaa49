"""Bounds on how many things run at once: in the process, and for each viewer.

Counting is all that is done here: who asks, for what and by which transport lives elsewhere.
"""

from collections.abc import Hashable
from dataclasses import dataclass

from resolvers.errors import ErrorCode
from server.limits.errors import BusyError


@dataclass(frozen=True, slots=True)
class Kind:
    """What takes places: its name in words, and the codes of refusals."""

    name: str
    too_many: ErrorCode
    full: ErrorCode


class ConcurrencyLimiter:
    """The places of one process for one kind of thing.

    Nobody may hold more places than are free. So one viewer gets half of them at most, and however
    greedy the others are, there is room for one who comes anew.
    """

    def __init__(self, kind: Kind, in_all: int, each: int) -> None:
        self._kind = kind
        self._in_all = in_all
        self._each = each
        self._taken = 0
        self._held: dict[Hashable, int] = {}

    def take(self, who: Hashable) -> "Slot":
        """Take a place. Raises BusyError."""
        free = self._in_all - self._taken
        held = self._held.get(who, 0)
        if free <= 0:
            words = f"The server has as many {self._kind.name} as it takes. Try again shortly."
            raise BusyError(self._kind.full, words)
        if held >= self._each or held >= free:
            words = f"You have as many {self._kind.name} at once as you may. Let one end first."
            raise BusyError(self._kind.too_many, words)
        self._taken += 1
        self._held[who] = held + 1
        return Slot(self, who)

    def give_back(self, who: Hashable) -> None:
        """Let somebody else have a place."""
        self._taken -= 1
        held = self._held.pop(who) - 1
        if held:
            self._held[who] = held

    def __len__(self) -> int:
        return self._taken


class Slot:
    """A place that was taken; it is left once, however often that is said."""

    __slots__ = ("_places", "_who")

    def __init__(self, places: ConcurrencyLimiter, who: Hashable) -> None:
        self._places: ConcurrencyLimiter | None = places
        self._who = who

    def leave(self) -> None:
        """Give the place back."""
        places, self._places = self._places, None
        if places is not None:
            places.give_back(self._who)

"""PostgreSQL's snapshots, by transaction ids: whose rows a transaction sees, and whose not yet.

As text, a snapshot is `xmax:` and the ids of `running` with commas, so that a cursor can hold it.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, Self

# A cursor stays short: one that would name more transactions sees less, and so repeats events.
MAX_RUNNING_IN_TEXT = 32
MAX_XID = 2**63 - 1

_TEXT = re.compile(r"([0-9]{1,19}):((?:[0-9]{1,19},)*[0-9]{1,19})?", re.ASCII)


class Snapshot(NamedTuple):
    """What is seen: the rows of committed transactions below `xmax` that are not in `running`.

    `running` rises. A row whose transaction was rolled back is never seen by anybody.
    """

    xmax: int
    running: tuple[int, ...] = ()

    @classmethod
    def of(cls, value: tuple[int, int, Sequence[int]]) -> Self:
        """Take what the driver makes of `pg_snapshot`."""
        _, xmax, running = value
        return cls(xmax, tuple(running))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text of a snapshot. Raises ValueError."""
        found = _TEXT.fullmatch(text)
        if found is None:
            raise ValueError("not a snapshot")
        xmax = int(found[1])
        running = tuple(map(int, found[2].split(","))) if found[2] else ()
        in_order = all(one < other for one, other in pairwise((*running, xmax)))
        if not in_order or xmax > MAX_XID or len(running) > MAX_RUNNING_IN_TEXT:
            raise ValueError("not a snapshot")
        return cls(xmax, running)

    def text(self) -> str:
        """Write it down, or one that sees less where too many transactions were running."""
        xmax, running = self
        if not self.is_short:
            xmax, running = running[MAX_RUNNING_IN_TEXT], running[:MAX_RUNNING_IN_TEXT]
        return f"{xmax}:{','.join(map(str, running))}"

    @property
    def is_short(self) -> bool:
        """Whether its text says all of it."""
        return len(self.running) <= MAX_RUNNING_IN_TEXT

    def sees(self, xid: int) -> bool:
        """Tell whether it sees what this transaction wrote, if that was committed at all."""
        return xid < self.xmax and xid not in self.running

    def including(self, xid: int) -> "Snapshot":
        """Get the snapshot that also sees this transaction: `xmax`, or one of `running`."""
        if xid == self.xmax:
            return Snapshot(xid + 1, self.running)
        return Snapshot(self.xmax, tuple(each for each in self.running if each != xid))

    def advanced(self, xid: int, now: "Snapshot") -> "Snapshot":
        """Get the snapshot that sees what this one does, and below `xid` all that `now` sees."""
        if xid >= self.xmax:
            return Snapshot(xid, tuple(each for each in now.running if each < xid))
        still = set(now.running)
        running = (each for each in self.running if each >= xid or each in still)
        return Snapshot(self.xmax, tuple(running))

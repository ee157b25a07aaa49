"""PostgreSQL's snapshots: which transactions' rows are visible.

As text, for cursors, a snapshot is `xmax:` and the ids of `running` separated by commas.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, Self

# Keeps cursors short: with more running transactions the text sees less, and events repeat.
MAX_RUNNING_IN_TEXT = 32
MAX_XID = 2**63 - 1

_TEXT = re.compile(r"([0-9]{1,19}):((?:[0-9]{1,19},)*[0-9]{1,19})?", re.ASCII)


class Snapshot(NamedTuple):
    """Sees the rows of committed transactions below `xmax` that are not in `running`.

    `running` is in ascending order.
    """

    xmax: int
    running: tuple[int, ...] = ()

    @classmethod
    def of(cls, value: tuple[int, int, Sequence[int]]) -> Self:
        """Convert the driver's value of a `pg_snapshot`."""
        _, xmax, running = value
        return cls(xmax, tuple(running))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the text of a snapshot. Raises ValueError."""
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError("not a snapshot")
        xmax = int(match[1])
        running = tuple(map(int, match[2].split(","))) if match[2] else ()
        in_order = all(one < other for one, other in pairwise((*running, xmax)))
        if not in_order or xmax > MAX_XID or len(running) > MAX_RUNNING_IN_TEXT:
            raise ValueError("not a snapshot")
        return cls(xmax, running)

    def text(self) -> str:
        """Return its text, or that of a snapshot that sees less if it is not `is_short`."""
        xmax, running = self
        if not self.is_short:
            xmax, running = running[MAX_RUNNING_IN_TEXT], running[:MAX_RUNNING_IN_TEXT]
        return f"{xmax}:{','.join(map(str, running))}"

    @property
    def is_short(self) -> bool:
        """Whether its text is exact."""
        return len(self.running) <= MAX_RUNNING_IN_TEXT

    def sees(self, xid: int) -> bool:
        """Return whether it sees the rows of this transaction, provided that it committed."""
        return xid < self.xmax and xid not in self.running

    def including(self, xid: int) -> "Snapshot":
        """Return a snapshot that also sees this transaction: `xmax`, or one of `running`."""
        if xid == self.xmax:
            return Snapshot(xid + 1, self.running)
        return Snapshot(self.xmax, tuple(each for each in self.running if each != xid))

    def advanced(self, xid: int, now: "Snapshot") -> "Snapshot":
        """Return a snapshot that sees what this one does, and below `xid` all that `now` sees."""
        if xid >= self.xmax:
            return Snapshot(xid, tuple(each for each in now.running if each < xid))
        still_running = set(now.running)
        running = (each for each in self.running if each >= xid or each in still_running)
        return Snapshot(self.xmax, tuple(running))

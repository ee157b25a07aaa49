"""Chunks of the write-ahead log that are copied together, and which of them rows show already."""

from dataclasses import dataclass, field

from mirror.pgoutput import Begin, Change, Commit

# Row changes of one transaction of the ledger.
CHUNK_CHANGES = 1_000
_WHOLE, _HALF = 1 << 32, 1 << 31


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The transactions that a reading of rows sees: below `xmax`, but for those under way."""

    xmax: int
    under_way: frozenset[int]

    @classmethod
    def read(cls, text: str) -> "Snapshot":
        """Read PostgreSQL's text."""
        _, xmax, under_way = text.split(":")
        return cls(int(xmax), frozenset(map(int, filter(None, under_way.split(",")))))

    def has(self, xid: int) -> bool:
        """Return whether it sees the transaction whose id has this lower half."""
        near = self.xmax - ((self.xmax - xid + _HALF) % _WHOLE - _HALF)
        return near < self.xmax and near not in self.under_way


@dataclass(slots=True)
class Chunk:
    """Changes that are copied together, by transaction; `lsn`: after the last whole one."""

    transactions: list[tuple[Begin, list[Change]]] = field(default_factory=list)
    lsn: int | None = None
    _count: int = 0
    _open: Begin | None = None

    def add(self, message: Begin | Commit | Change, done: int) -> None:
        """Take a message; a transaction up to `done` is left out."""
        if isinstance(message, Begin):
            self._open = message
            self.transactions.append((message, []))
        elif isinstance(message, Commit):
            self._open = None
            if message.lsn <= done:
                self._count -= len(self.transactions.pop()[1])
            else:
                self.lsn = message.lsn
        else:
            self.transactions[-1][1].append(message)
            self._count += 1

    @property
    def is_full(self) -> bool:
        """Whether it should be copied: at the end of a transaction, unless that is very long."""
        size = CHUNK_CHANGES if self._open is None else 20 * CHUNK_CHANGES
        return self._count >= size

    def rest(self) -> "Chunk":
        """Return an empty chunk for what follows."""
        following = Chunk(_open=self._open)
        if self._open is not None:
            following.transactions.append((self._open, []))
        return following

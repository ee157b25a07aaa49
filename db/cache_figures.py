"""What a cache counts of itself."""

from typing import NamedTuple


class CacheFigures(NamedTuple):
    """A cache's entries now, and how often it had what was asked for, and how often not."""

    entries: int = 0
    hits: int = 0
    misses: int = 0


class CacheCounts:
    """Counts the hits and misses of a cache, or of several of one kind."""

    __slots__ = ("hits", "misses")

    def __init__(self) -> None:
        self.hits = 0
        self.misses = 0

    def figures(self, entries: int) -> CacheFigures:
        """Return the figures of a cache that has so many entries."""
        return CacheFigures(entries, self.hits, self.misses)

"""Sketches of durations: how many lie in each bin, from which percentiles follow within 1 %.

Bins grow by a constant factor, so that sketches are merged by adding their counts. The idea is that
of DDSketch (Masson, Rim and Lee, 2019).
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import floor

# A bin's middle is within this share of all of its durations.
ERROR = 0.01
GROWTH = (1 + ERROR) / (1 - ERROR)
# The bin of durations that are shorter than a microsecond.
ZERO = -1_000


@dataclass(slots=True)
class Sketch:
    """Durations in seconds: the number of those in each bin, their sum, and their bounds."""

    bins: Counter[int] = field(default_factory=Counter)
    total: float = 0.0
    least: float | None = None
    most: float | None = None

    def add(self, bin_: int, count: int) -> None:
        """Add durations that lie in a bin."""
        self.bins[bin_] += count

    def merge(self, bins: Sequence[int], counts: Sequence[int]) -> None:
        """Add the durations of another sketch. Each of its bins must be there once."""
        self.bins.update(dict(zip(bins, counts, strict=True)))

    def widen(self, total: float, least: float, most: float) -> None:
        """Add the sum of durations, and their bounds."""
        self.total += total
        self.least = least if self.least is None else min(self.least, least)
        self.most = most if self.most is None else max(self.most, most)

    @property
    def count(self) -> int:
        """The number of durations."""
        return self.bins.total()

    def percentiles(self, shares: tuple[float, ...]) -> list[float]:
        """Interpolate as percentile_cont does. There must be a duration."""
        order = sorted(self.bins)
        ends = list(accumulate(self.bins[each] for each in order))
        return [self._at(share * (ends[-1] - 1), order, ends) for share in shares]

    def _at(self, place: float, order: list[int], ends: list[int]) -> float:
        rank = floor(place)
        below, above = (
            self._middle(order[min(bisect_right(ends, each), len(order) - 1)])
            for each in (rank, rank + 1)
        )
        return below + (above - below) * (place - rank)

    def _middle(self, bin_: int) -> float:
        middle = 0.0 if bin_ == ZERO else 2 * GROWTH**bin_ / (GROWTH + 1)
        # The bounds are exact.
        return min(max(middle, self.least or 0.0), self.most or middle)

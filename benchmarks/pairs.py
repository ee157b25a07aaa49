"""What pairs of measurements show of the ratio of two, however much a machine's speed varies."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median
from typing import Literal

# Of the normal distribution, for 95 %.
DEVIATIONS = 1.96

Verdict = Literal["yes", "no", "open"]


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median of ratios, and the interval that has the true one with a confidence of 95 %."""

    median: float
    low: float
    high: float

    def is_at_most(self, bar: float) -> Verdict:
        """Return whether the true ratio is at most this; `open` if more turns are needed for it."""
        if self.high <= bar:
            return "yes"
        return "no" if self.low > bar else "open"


def ratio(ratios: Sequence[float]) -> Ratio:
    """Summarise ratios of pairs, each measured at nearly the same time.

    The interval is that of the binomial distribution of how many are below their true median: it
    assumes nothing about how they are distributed.
    """
    ordered = sorted(ratios)
    number = len(ordered)
    rank = max(0, int((number - DEVIATIONS * sqrt(number)) / 2))
    return Ratio(median(ordered), ordered[rank], ordered[number - 1 - rank])

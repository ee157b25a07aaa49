"""What benchmarks say of ratios: the interval holds the true one as often as it claims."""

from random import Random

import pytest

from benchmarks.pairs import Ratio, ratio


def test_of_one_value() -> None:
    assert ratio([1.5] * 10) == Ratio(1.5, 1.5, 1.5)
    assert ratio([1.5]) == Ratio(1.5, 1.5, 1.5)


def test_outliers_do_not_matter() -> None:
    found = ratio([1.02] * 95 + [50.0] * 5)
    assert found == Ratio(1.02, 1.02, 1.02)


@pytest.mark.parametrize("number", [9, 30, 200])
def test_the_true_ratio_is_in_the_interval(number: int) -> None:
    random, times = Random(7), 2_000
    found = [ratio([random.lognormvariate(0, 0.5) for _ in range(number)]) for _ in range(times)]
    share = sum(each.low <= 1 <= each.high for each in found) / times
    assert 0.93 <= share <= 0.995


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.9, 1.03, "yes"), (1.01, 1.04, "open"), (1.04, 1.1, "no")],
)
def test_verdicts(low: float, high: float, verdict: str) -> None:
    assert Ratio((low + high) / 2, low, high).is_at_most(1.03) == verdict

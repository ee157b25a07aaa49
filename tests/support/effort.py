"""How much tests try: a part in everyday runs, all of it in `make test-long`."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import settings

QUICK, LONG = "quick", "long"
ALL = 100
FEW = 20
FEWEST = 5

# The few are the same every time; the many are new ones.
settings.register_profile(LONG, settings.get_profile("default"), deadline=None, max_examples=ALL)
settings.register_profile(QUICK, settings.get_profile(LONG), max_examples=FEW, derandomize=True)


def examples(count: int, **others: Any) -> settings:
    """Draw so many examples in a long run, and a share of them in a quick one."""
    share = settings.default.max_examples / ALL
    return settings(max_examples=min(count, max(FEWEST, round(count * share))), **others)


def first(count: int, values: Iterable[Any]) -> list[Any]:
    """Make parameters of the values, of which all but the first ones are left to the long run."""
    return [
        value if number < count else pytest.param(value, marks=pytest.mark.long)
        for number, value in enumerate(values)
    ]

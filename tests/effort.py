"""How many examples property tests draw: few in everyday runs, all of them in `make test-long`.

The few are the same every time; the many are new ones.
"""

from typing import Any

from hypothesis import settings

QUICK, LONG = "quick", "long"
ALL = 100
FEW = 20
FEWEST = 5

settings.register_profile(LONG, settings.get_profile("default"), deadline=None, max_examples=ALL)
settings.register_profile(QUICK, settings.get_profile(LONG), max_examples=FEW, derandomize=True)


def examples(count: int, **others: Any) -> settings:
    """Draw so many examples in a long run, and a share of them in a quick one."""
    share = settings.default.max_examples / ALL
    return settings(max_examples=min(count, max(FEWEST, round(count * share))), **others)

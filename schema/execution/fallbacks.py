"""Counts the operations that graphql-core's executor runs instead of a compiled plan."""

from collections import Counter

import structlog

INTROSPECTION, SETTING = "introspection", "setting"

# By reason: INTROSPECTION, SETTING, or the field that cannot be compiled.
FALLBACKS: Counter[str] = Counter()

log = structlog.get_logger("joblens.graphql")


def count_fallback(reason: str) -> None:
    """Count an operation; log a reason that should not occur as a warning."""
    FALLBACKS[reason] += 1
    if reason not in {INTROSPECTION, SETTING}:
        log.warning("operation fell back", reason=reason)

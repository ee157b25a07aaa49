"""Counts the operations that graphql-core's executor runs, because they cannot be compiled."""

from collections import Counter

import structlog

# By reason: `introspection`, `setting`, or the field that cannot be compiled.
FALLBACKS: Counter[str] = Counter()

log = structlog.get_logger("joblens.graphql")


def count_fallback(reason: str) -> None:
    """Count an operation, and log it for debugging."""
    FALLBACKS[reason] += 1
    log.debug("operation fell back", reason=reason)

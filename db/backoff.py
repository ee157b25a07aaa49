"""The wait of a failed job before its retry. db.commands.transitions writes it in SQL."""

import random
from dataclasses import dataclass, replace

from db.job_defaults import DEFAULT_BACKOFF_BASE_SECONDS, DEFAULT_BACKOFF_CAP_SECONDS
from db.limits import MAX_BACKOFF_SECONDS

# Each wait is multiplied by a random factor of 1 ± JITTER.
JITTER = 0.1


@dataclass(frozen=True, slots=True)
class Backoff:
    """A wait of `base_seconds`, doubled for each further retry, at most `cap_seconds`.

    `jitter` is a random factor, so that jobs that failed together are not retried together. Raises
    ValueError for seconds that are negative or more than a year.
    """

    base_seconds: float = DEFAULT_BACKOFF_BASE_SECONDS
    cap_seconds: float = DEFAULT_BACKOFF_CAP_SECONDS
    jitter: float = 1.0

    def __post_init__(self) -> None:
        for seconds in (self.base_seconds, self.cap_seconds):
            if not 0 <= seconds <= MAX_BACKOFF_SECONDS:
                raise ValueError(f"A wait of {seconds} seconds is negative or more than a year.")

    def jittered(self) -> "Backoff":
        """Return a copy with a new random factor."""
        factor = 1 + JITTER * (2 * random.random() - 1)  # noqa: S311 - not security relevant
        return replace(self, jitter=factor)

"""Rates: how many points a viewer may spend in a minute, and what the headers tell of it.

Points come back steadily. All that is kept of a viewer is the time at which all are back, so what
is known of one who has not asked for a minute can be forgotten.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

WINDOW_SECONDS = 60
# From so many viewers on, those who have all their points are looked for, and forgotten.
FORGET_ABOVE = 10_000
# An organisation and a subject in it.
Who = tuple[UUID, str]
# What adding up floats may be off by.
_TINY_SECONDS = 1e-6


@dataclass(frozen=True, slots=True)
class RateLimitStatus:
    """What became of an attempt to spend points.

    `behind_seconds`: when all points are back. `wait_seconds`: when there are enough for what was
    asked; 0 where there were, and they are spent.
    """

    quota: int
    behind_seconds: float
    wait_seconds: float

    @property
    def retry_after_seconds(self) -> int:
        """When to try again."""
        return max(1, math.ceil(self.wait_seconds - _TINY_SECONDS))

    def headers(self) -> dict[str, str]:
        """Tell of it in the fields of draft-ietf-httpapi-ratelimit-headers."""
        free_seconds = WINDOW_SECONDS - self.behind_seconds + _TINY_SECONDS
        left = max(0, math.floor(free_seconds / WINDOW_SECONDS * self.quota))
        return {
            "ratelimit-policy": f'"points";q={self.quota};w={WINDOW_SECONDS}',
            "ratelimit": f'"points";r={left};t={math.ceil(self.behind_seconds)}',
        }


class RateLimiter(Protocol):
    """Where it is kept what viewers have spent."""

    async def spend(self, who: Who, points: int) -> RateLimitStatus:
        """Spend points if there are enough; what costs more than the quota costs all of it."""

    async def close(self) -> None:
        """Hang up."""


class LocalRateLimiter:
    """Kept in this process."""

    def __init__(self, quota: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._quota = quota
        self._clock = clock
        self._all_back_at: dict[Who, float] = {}
        self._forget_above = FORGET_ABOVE

    async def spend(self, who: Who, points: int) -> RateLimitStatus:
        """Spend points if there are enough; what costs more than the quota costs all of it."""
        now = self._clock()
        behind = max(0.0, self._all_back_at.get(who, 0.0) - now)
        after = behind + min(points, self._quota) * WINDOW_SECONDS / self._quota
        if after > WINDOW_SECONDS + _TINY_SECONDS:
            return RateLimitStatus(self._quota, behind, after - WINDOW_SECONDS)
        self._all_back_at[who] = now + after
        if len(self._all_back_at) > self._forget_above:
            self._forget(now)
        return RateLimitStatus(self._quota, after, 0)

    async def close(self) -> None:
        """Do nothing: there is nobody to hang up on."""

    def _forget(self, now: float) -> None:
        self._all_back_at = {who: at for who, at in self._all_back_at.items() if at > now}
        self._forget_above = max(FORGET_ABOVE, 2 * len(self._all_back_at))

    def __len__(self) -> int:
        return len(self._all_back_at)

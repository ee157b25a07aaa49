"""The rate limit: how many points a viewer may spend in a minute, and its HTTP headers.

Points are refilled steadily. All that is stored of a viewer is the time at which all are refilled,
so a viewer who has spent none for a minute is forgotten.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

WINDOW_SECONDS = 60
# Above this number of viewers, those who have all their points are removed.
FORGET_ABOVE = 10_000
# An organisation and a subject in it.
ViewerKey = tuple[UUID, str]
# The rounding error of added floats.
_TINY_SECONDS = 1e-6


@dataclass(frozen=True, slots=True)
class RateLimitStatus:
    """The result of spending points.

    `behind_seconds`: until all points are refilled. `wait_seconds`: until there are enough points
    for this cost; 0 if there were, and they are spent.
    """

    quota: int
    behind_seconds: float
    wait_seconds: float

    @property
    def retry_after_seconds(self) -> int:
        """When to try again, in whole seconds, at least 1."""
        return max(1, math.ceil(self.wait_seconds - _TINY_SECONDS))

    def headers(self) -> dict[str, str]:
        """Get the header fields of draft-ietf-httpapi-ratelimit-headers."""
        free_seconds = WINDOW_SECONDS - self.behind_seconds + _TINY_SECONDS
        left = max(0, math.floor(free_seconds / WINDOW_SECONDS * self.quota))
        return {
            "ratelimit-policy": f'"points";q={self.quota};w={WINDOW_SECONDS}',
            "ratelimit": f'"points";r={left};t={math.ceil(self.behind_seconds)}',
        }


class RateLimiter(Protocol):
    """Counts the points that viewers spend."""

    async def spend(self, key: ViewerKey, points: int) -> RateLimitStatus:
        """Spend points if there are enough. A cost above the quota counts as the quota."""

    async def close(self) -> None:
        """Close connections."""


class LocalRateLimiter:
    """Counts in this process."""

    def __init__(self, quota: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._quota = quota
        self._clock = clock
        self._refilled_at: dict[ViewerKey, float] = {}
        self._forget_above = FORGET_ABOVE

    async def spend(self, key: ViewerKey, points: int) -> RateLimitStatus:
        """Spend points if there are enough. A cost above the quota counts as the quota."""
        now = self._clock()
        behind = max(0.0, self._refilled_at.get(key, 0.0) - now)
        after = behind + min(points, self._quota) * WINDOW_SECONDS / self._quota
        if after > WINDOW_SECONDS + _TINY_SECONDS:
            return RateLimitStatus(self._quota, behind, after - WINDOW_SECONDS)
        self._refilled_at[key] = now + after
        if len(self._refilled_at) > self._forget_above:
            self._forget(now)
        return RateLimitStatus(self._quota, after, 0)

    async def close(self) -> None:
        """Do nothing: there are no connections."""

    def _forget(self, now: float) -> None:
        self._refilled_at = {key: at for key, at in self._refilled_at.items() if at > now}
        self._forget_above = max(FORGET_ABOVE, 2 * len(self._refilled_at))

    def __len__(self) -> int:
        return len(self._refilled_at)

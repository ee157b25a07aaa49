"""Rates kept in Redis, where several processes share them.

Where Redis is away, each process counts for itself: neither does everybody get everything, nor
nobody anything.
"""

import asyncio
import time

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from server.limits.rate_limit import WINDOW_SECONDS, LocalRateLimiter, RateLimitStatus, Who

# Redis is near, or it is away: a request is not held up for longer.
PATIENCE_SECONDS = 0.5
# How long it is left alone after it has failed.
AWAY_SECONDS = 5.0
CONNECTIONS = 20
KEY = "joblens:rate:"

# The same sum as in LocalRateLimiter, in microseconds of Redis's own clock, in one step.
SPEND = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local window, cost = tonumber(ARGV[1]), tonumber(ARGV[2])
local behind = math.max(0, tonumber(redis.call('GET', KEYS[1]) or 0) - now)
local after = behind + cost
if after > window + 1 then
    return {behind, math.ceil(after - window)}
end
redis.call('SET', KEYS[1], string.format('%.0f', now + after), 'PX', math.ceil(after / 1000) + 1)
return {after, 0}
"""

log = structlog.get_logger("joblens.rates")


class RedisRateLimiter:
    """Kept in the Redis of this URL."""

    def __init__(self, quota: int, url: str) -> None:
        self._quota = quota
        pool = BlockingConnectionPool.from_url(
            url, max_connections=CONNECTIONS, timeout=PATIENCE_SECONDS, retry=Retry(NoBackoff(), 1)
        )
        self._redis = Redis(connection_pool=pool)
        self._script = self._redis.register_script(SPEND)
        self._alone = LocalRateLimiter(quota)
        self._alone_until = 0.0

    async def spend(self, who: Who, points: int) -> RateLimitStatus:
        """Spend points if there are enough; what costs more than the quota costs all of it."""
        if time.monotonic() < self._alone_until:
            return await self._alone.spend(who, points)
        cost = min(points, self._quota) * WINDOW_SECONDS * 1_000_000 / self._quota
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                behind, wait = await self._script(
                    keys=[f"{KEY}{who[0]}:{who[1]}"], args=[WINDOW_SECONDS * 1_000_000, cost]
                )
        except (RedisError, OSError, TimeoutError) as error:
            self._be_alone(error)
            return await self._alone.spend(who, points)
        return RateLimitStatus(self._quota, behind / 1_000_000, wait / 1_000_000)

    async def close(self) -> None:
        """Hang up."""
        await self._redis.aclose(close_connection_pool=True)

    def _be_alone(self, error: Exception) -> None:
        now = time.monotonic()
        # Many requests may find out at once: one line tells.
        if now >= self._alone_until:
            log.warning(
                "no Redis: each process counts rates for itself", error=type(error).__name__
            )
        self._alone_until = now + AWAY_SECONDS

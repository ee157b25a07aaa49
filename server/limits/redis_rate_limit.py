"""The rate limit in Redis, shared by several processes.

While Redis is unavailable, each process counts for itself.
"""

import asyncio
import time

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from server.limits.rate_limit import WINDOW_SECONDS, LocalRateLimiter, RateLimitStatus, ViewerKey

# How long a request waits for Redis.
TIMEOUT_SECONDS = 0.5
# How long Redis is not asked after it has failed.
RETRY_AFTER_SECONDS = 5.0
CONNECTIONS = 20
KEY = "joblens:rate:"

# As LocalRateLimiter, atomically, in microseconds of Redis's own clock.
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
    """Counts in the Redis of this URL."""

    def __init__(self, quota: int, url: str) -> None:
        self._quota = quota
        pool = BlockingConnectionPool.from_url(
            url, max_connections=CONNECTIONS, timeout=TIMEOUT_SECONDS, retry=Retry(NoBackoff(), 1)
        )
        self._redis = Redis(connection_pool=pool)
        self._script = self._redis.register_script(SPEND)
        self._local = LocalRateLimiter(quota)
        self._local_until = 0.0

    async def spend(self, key: ViewerKey, points: int) -> RateLimitStatus:
        """Spend points if there are enough. A cost above the quota counts as the quota."""
        if time.monotonic() < self._local_until:
            return await self._local.spend(key, points)
        cost = min(points, self._quota) * WINDOW_SECONDS * 1_000_000 / self._quota
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                behind, wait = await self._script(
                    keys=[f"{KEY}{key[0]}:{key[1]}"], args=[WINDOW_SECONDS * 1_000_000, cost]
                )
        except (RedisError, OSError, TimeoutError) as error:
            self._fall_back(error)
            return await self._local.spend(key, points)
        return RateLimitStatus(self._quota, behind / 1_000_000, wait / 1_000_000)

    async def close(self) -> None:
        """Close connections."""
        await self._redis.aclose(close_connection_pool=True)

    def _fall_back(self, error: Exception) -> None:
        now = time.monotonic()
        # Many requests may fail at once: one line reports it.
        if now >= self._local_until:
            log.warning(
                "Redis is unavailable: each process counts rates for itself",
                error=type(error).__name__,
            )
        self._local_until = now + RETRY_AFTER_SECONDS

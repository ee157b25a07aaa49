"""Rates that processes share in Redis, and what happens without it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from server.limits import redis_rate_limit
from server.limits.rate_limit import LocalRateLimiter
from server.limits.redis_rate_limit import RedisRateLimiter
from tests.server.load.clients import NOTHING, WAYS, Ask, post
from tests.server.redis.conftest import RedisServer
from tests.support.service import ORG, OTHER_ORG, Service, serving

WHO = (UUID(ORG), "anonymous")


@asynccontextmanager
async def two(database_url: str, redis: RedisServer) -> AsyncIterator[tuple[Service, Service]]:
    settings = {"redis_url": redis.url, "rate_points_per_minute": "3"}
    async with serving(database_url, **settings) as one, serving(database_url, **settings) as other:
        yield one, other


async def codes(*services: Service) -> list[list[str]]:
    return [(await post(service, NOTHING)).codes for service in services]


@pytest.mark.parametrize("ask", WAYS)
async def test_two_share_what_a_viewer_may_spend(
    database_url: str, redis: RedisServer, ask: Ask
) -> None:
    async with two(database_url, redis) as (one, other):
        assert await codes(one, other, other) == [[], [], []]
        for service in (one, other):
            refused = await ask(service, NOTHING)
            assert refused.codes == ["RATE_LIMITED"]
            assert 1 <= refused.body["errors"][0]["extensions"]["retryAfterSeconds"] <= 20
            if refused.headers is not None:
                assert refused.status == 429
                assert refused.headers["ratelimit"].startswith('"points";r=0;t=')
        assert (await ask(one, NOTHING, OTHER_ORG)).codes == []


async def test_without_redis_each_counts_for_itself(database_url: str, redis: RedisServer) -> None:
    async with two(database_url, redis) as (one, other):
        assert await codes(one, other) == [[], []]
        await redis.stop()
        assert await codes(*[one] * 4) == [[], [], [], ["RATE_LIMITED"]]
        assert await codes(*[other] * 4) == [[], [], [], ["RATE_LIMITED"]]


async def test_redis_that_comes_back_is_used_again(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_rate_limit, "RETRY_AFTER_SECONDS", 0)
    one, other = RedisRateLimiter(2, redis.url), RedisRateLimiter(2, redis.url)
    await redis.stop()
    assert [(await each.spend(WHO, 2)).wait_seconds for each in (one, other)] == [0, 0]
    await redis.start()
    assert (await one.spend(WHO, 2)).wait_seconds == 0
    assert (await other.spend(WHO, 2)).wait_seconds > 0
    await one.close()
    await other.close()


async def test_redis_that_hangs_holds_up_nobody(database_url: str, redis: RedisServer) -> None:
    async with two(database_url, redis) as (one, other):
        assert await codes(one, other) == [[], []]
        redis.hang()
        assert await codes(one, one, one, one) == [[], [], [], ["RATE_LIMITED"]]
        redis.go_on()


async def test_redis_that_refuses_is_as_good_as_none(database_url: str, redis: RedisServer) -> None:
    url = redis.url.replace("unix://", "unix://nobody:wrong@")
    async with serving(database_url, redis_url=url, rate_points_per_minute="2") as service:
        assert await codes(service, service, service) == [[], [], ["RATE_LIMITED"]]


async def test_both_do_the_same_sum(redis: RedisServer) -> None:
    shared, local = RedisRateLimiter(100, redis.url), LocalRateLimiter(100)
    for points in (1, 30, 1000, 60, 5, 9, 9):
        theirs, ours = await shared.spend(WHO, points), await local.spend(WHO, points)
        assert (theirs.wait_seconds == 0) == (ours.wait_seconds == 0)
        # What comes back while a test is held up between the two is little.
        assert theirs.behind_seconds == pytest.approx(ours.behind_seconds, abs=5)
        assert theirs.wait_seconds == pytest.approx(ours.wait_seconds, abs=5)
    await shared.close()


async def test_many_at_once_spend_no_more_than_there_is(redis: RedisServer) -> None:
    several = [RedisRateLimiter(50, redis.url) for _ in range(4)]
    standings = await asyncio.gather(*(each.spend(WHO, 1) for each in several for _ in range(40)))
    # One comes back in 1.2 seconds.
    assert 50 <= sum(standing.wait_seconds == 0 for standing in standings) <= 60
    for each in several:
        await each.close()


async def test_redis_forgets_who_has_all_points_again(redis: RedisServer) -> None:
    rates = RedisRateLimiter(1_000_000, redis.url)
    await rates.spend(WHO, 1)
    keys = [key async for key in rates._redis.scan_iter()]
    # 60 microseconds later it may be gone already; it never stays without an end.
    for key in keys:
        assert await rates._redis.pttl(key) != -1
    await rates.spend(WHO, 500_000)
    (key,) = [key async for key in rates._redis.scan_iter()]
    assert 0 < await rates._redis.pttl(key) <= 31_000
    await rates.close()

"""Points a minute: what is told of them, and when there are none left."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.limits.rate_limit import FORGET_ABOVE, WINDOW_SECONDS, LocalRateLimiter
from tests.server.load.clients import HTTP, NOTHING, WAYS, Ask, by_events, post
from tests.support.service import ORG, OTHER_ORG, Service, serving

WHO = (UUID(ORG), "anonymous")


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Service]:
    """So few points that none come back during a test."""
    async with serving(database_url, rate_points_per_minute="2") as running:
        yield running


@pytest.mark.parametrize("ask", WAYS)
async def test_a_viewer_spends_its_points(service: Service, ask: Ask) -> None:
    for _ in range(2):
        assert (await ask(service, NOTHING)).codes == []
    refused = await ask(service, NOTHING)
    assert refused.codes == ["RATE_LIMITED"]
    assert "data" not in refused.body
    assert 1 <= refused.body["errors"][0]["extensions"]["retryAfterSeconds"] <= 30
    if refused.headers is not None:
        assert refused.status == 429
        assert 1 <= int(refused.headers["retry-after"]) <= 30
    assert (await ask(service, NOTHING, OTHER_ORG)).codes == []


@pytest.mark.parametrize("ask", [*HTTP, pytest.param(by_events, id="SSE")])
async def test_headers_tell_what_is_left(service: Service, ask: Ask) -> None:
    left = []
    for _ in range(3):
        answer = await ask(service, NOTHING)
        assert answer.headers is not None
        assert answer.headers["ratelimit-policy"] == '"points";q=2;w=60'
        name, remaining, seconds = answer.headers["ratelimit"].split(";")
        assert name == '"points"'
        assert 1 <= int(seconds.removeprefix("t=")) <= WINDOW_SECONDS
        left.append(remaining)
    assert left == ["r=1", "r=0", "r=0"]


async def test_what_cannot_be_run_costs_a_point(service: Service) -> None:
    for _ in range(2):
        assert (await post(service, "{ nothing }")).codes == ["GRAPHQL_VALIDATION_FAILED"]
    assert (await post(service, NOTHING)).codes == ["RATE_LIMITED"]


async def test_an_operation_costs_what_it_may_return(database_url: str) -> None:
    async with serving(database_url, rate_points_per_minute="100") as service:
        assert (await post(service, "{ jobs(first: 60) { nodes { id } } }")).codes == []
        dear = await post(service, "{ jobs(first: 60) { nodes { id } } }")
        assert dear.codes == ["RATE_LIMITED"]
        assert (await post(service, "{ jobs(first: 30) { nodes { id } } }")).codes == []


async def test_points_can_be_without_bound(database_url: str) -> None:
    async with serving(database_url, rate_points_per_minute="0") as service:
        for _ in range(5):
            answer = await post(service, NOTHING)
            assert answer.codes == []
            assert answer.headers is not None
            assert "ratelimit" not in answer.headers


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


STEPS = st.lists(
    st.tuples(st.floats(0, 90, allow_nan=False), st.integers(1, 40)), min_size=1, max_size=50
)


@given(quota=st.integers(1, 30), steps=STEPS)
def test_nobody_spends_more_than_comes_back(quota: int, steps: list[tuple[float, int]]) -> None:
    clock = Clock()
    rates = LocalRateLimiter(quota, clock)

    async def spend_all() -> None:
        began, spent = clock.now, 0
        for pause, points in steps:
            clock.now += pause
            standing = await rates.spend(WHO, points)
            if standing.wait_seconds == 0:
                spent += min(points, quota)
                allowed = quota + (clock.now - began) * quota / WINDOW_SECONDS
                assert spent <= allowed + 0.001
                continue
            # Who is told to wait, and waits, is let in; a little earlier, it is not.
            # Sums of floats may be off by a little.
            assert standing.wait_seconds <= WINDOW_SECONDS + 1e-6
            clock.now += standing.wait_seconds - 0.01
            assert (await rates.spend(WHO, points)).wait_seconds > 0
            clock.now += 0.01
            assert (await rates.spend(WHO, points)).wait_seconds == 0
            spent += min(points, quota)

    asyncio.run(spend_all())


async def test_viewers_are_forgotten_when_they_have_all_their_points_again() -> None:
    clock = Clock()
    rates = LocalRateLimiter(10, clock)
    for n in range(FORGET_ABOVE):
        await rates.spend((UUID(int=n), "x"), 1)
    assert len(rates) == FORGET_ABOVE
    clock.now += WINDOW_SECONDS
    await rates.spend(WHO, 1)
    assert len(rates) == 1

"""Repeated audit lines: how few are written, that each is counted, what is kept."""

import asyncio
from collections import Counter
from collections.abc import Hashable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.logging.throttle import MAX_COUNTERS, OTHER_SOURCES, LogThrottle
from tests.support.patience import PATIENCE_SECONDS

Told = list[tuple[Hashable, str, int]]
EVENTS = st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ab")), max_size=100)


def floods() -> tuple[LogThrottle, Told]:
    told: Told = []
    return LogThrottle(lambda *each: told.append(each)), told


@given(EVENTS)
def test_all_are_told_or_counted(events: list[tuple[int, str]]) -> None:
    async def send() -> None:
        bounded, told = floods()
        admitted = [event for event in events if bounded.admits(*event)]
        bounded.end_window()
        assert len(admitted) == len(set(admitted)) == len(set(events))
        left_out = {(source, kind): count for source, kind, count in told}
        assert Counter(admitted) + Counter(left_out) == Counter(events)

    asyncio.run(send())


async def test_countless_sources_are_counted_together() -> None:
    bounded, told = floods()
    admitted = sum(bounded.admits(source, "a") for source in range(10_000))
    assert admitted == MAX_COUNTERS + 1
    assert len(bounded._left_out) == MAX_COUNTERS + 1
    bounded.end_window()
    assert told == [(OTHER_SOURCES, "a", 10_000 - admitted)]


async def test_a_window_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.logging.throttle.WINDOW_SECONDS", 0.01)
    bounded, told = floods()
    assert [bounded.admits(1, "a") for _ in range(3)] == [True, False, False]
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not told:  # noqa: ASYNC110 - it tells by this alone
            await asyncio.sleep(0.01)
    assert told == [(1, "a", 2)]
    # Nothing is kept, and nothing runs, until there is something again.
    assert (bounded._left_out, bounded._timer) == ({}, None)
    assert bounded.admits(1, "a")
    bounded.end_window()
    assert len(told) == 1

"""Sketches: percentiles within 1 % of the exact ones, also of what PostgreSQL has put into bins."""

from collections.abc import AsyncIterator
from datetime import timedelta
from math import ceil, floor, log
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Double, column, select, values
from sqlalchemy.ext.asyncio import AsyncEngine

from db.criteria import JobCriteria, TextCriteria
from db.engine import Scope, create_engine
from db.queries.dimensions import JobDimension
from db.queries.timelines import count_changes, count_changes_by
from db.request_session import RequestSession
from db.tallies.durations import bin_of
from db.tallies.sketches import GROWTH, ZERO, Sketch
from db.tallies.summing import Outcome, sum_once
from tests.support.ledger import EPOCH, events, insert, job

SHARES = (0.0, 0.1, 0.5, 0.95, 0.99, 1.0)
DAYS = [EPOCH + timedelta(days=days) for days in range(4)]

seconds = st.just(0.0) | st.floats(1e-6, 1e9)


def bin_in_python(value: float) -> int:
    return ZERO if value < 1e-6 else ceil(log(value) / log(GROWTH))


def sketch_of(durations: list[float]) -> Sketch:
    sketch = Sketch()
    for value in durations:
        sketch.add(bin_in_python(value), 1)
        sketch.widen(value, value, value)
    return sketch


def percentile(durations: list[float], share: float) -> float:
    ordered = sorted(durations)
    place = share * (len(ordered) - 1)
    below, above = ordered[floor(place)], ordered[min(floor(place) + 1, len(ordered) - 1)]
    return below + (above - below) * (place - floor(place))


@given(st.lists(seconds, min_size=1, max_size=60))
def test_percentiles_are_within_one_percent(durations: list[float]) -> None:
    sketch = sketch_of(durations)
    assert sketch.count == len(durations)
    exact = [percentile(durations, share) for share in SHARES]
    assert sketch.percentiles(SHARES) == pytest.approx(exact, rel=0.0101, abs=1e-9)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


async def test_postgresql_finds_the_same_bins(engine: AsyncEngine) -> None:
    given_seconds = [0.0, 1e-7, 1e-6, 0.001, 0.999, 1.0, 1.01, 59.9, 3_600.0, 1e9]
    rows = values(column("seconds", Double()), name="given").data([(s,) for s in given_seconds])
    statement = select(rows.c.seconds, bin_of(rows.c.seconds).label("bin"))
    async with RequestSession(engine, Scope(uuid4(), 60)) as session, session.use() as begun:
        found = (await begun.execute(statement)).all()
    assert [row.bin for row in found] == [bin_in_python(row.seconds) for row in found]


def lived(random: Random, org_id: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A job that waited and ran for some time."""
    row = job(
        random.randrange(3 * 1_440), org_id=org_id, type=random.choice("ab"), status="succeeded"
    )
    steps = events(row, "queued", "running", "succeeded")
    waited, ran = (timedelta(seconds=random.expovariate(1 / 40)) for _ in range(2))
    row["started_at"] = steps[1]["ts"] = row["created_at"] + waited
    row["finished_at"] = steps[2]["ts"] = row["started_at"] + ran
    return row, steps


async def test_sums_of_days(
    database_url: str, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    random, org_id = Random(1), uuid4()
    for _ in range(3):
        jobs, steps = zip(*(lived(random, org_id) for _ in range(200)), strict=True)
        await insert(database_url, list(jobs), [step for each in steps for step in each])
        while (await sum_once(engine, org_id, slice_events=100)).outcome is not Outcome.DONE:
            pass
    # Some that are not summed yet.
    jobs, steps = zip(*(lived(random, org_id) for _ in range(50)), strict=True)
    await insert(database_url, list(jobs), [step for each in steps for step in each])

    async def read(most: int) -> list[Any]:
        monkeypatch.setattr("db.queries.distributions.EXACT_AT_MOST", most)
        async with RequestSession(engine, Scope(org_id, 60)) as session, session.use() as begun:
            whole = await count_changes(begun, org_id, None, DAYS, with_durations=True)
            of_types = None, DAYS, JobDimension.TYPE, 1
            series = await count_changes_by(
                begun, org_id, *of_types, now=DAYS[-1], with_durations=True
            )
        return [whole, *(changes for _, changes in series)]

    async with RequestSession(engine, Scope(org_id, 60)) as session, session.use() as begun:
        # However few they are, not looked for among the events of all other types.
        of_one = JobCriteria(type=TextCriteria(eq="a"))
        (first, *_) = await count_changes(begun, org_id, of_one, DAYS, with_durations=True)
    assert {each.is_exact for each in first.durations.values()} == {False}
    estimated, exact = await read(0), await read(10_000)
    assert len(exact) == 3
    for one, other in zip(estimated, exact, strict=True):
        for changes, expected in zip(one, other, strict=True):
            assert changes.durations.keys() == expected.durations.keys()
            for kind, each in expected.durations.items():
                found = changes.durations[kind]
                assert (found.is_exact, each.is_exact) == (False, True)
                assert found.count == each.count
                bounds = [each.avg, each.min, each.max]
                assert [found.avg, found.min, found.max] == pytest.approx(bounds)
                assert found.percentiles == pytest.approx(each.percentiles, rel=0.0101)

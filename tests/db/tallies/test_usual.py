"""What is usual for a type: made of the sketches of the last days, and kept fresh."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import Scope, create_engine
from db.health import Usual
from db.queries.health import load_usual
from db.request_session import RequestSession
from db.tallies.summing import Outcome, sum_once
from tests.support.ledger import events, insert, job

DAY = timedelta(days=1)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


async def sum_all(engine: AsyncEngine, org_id: UUID) -> None:
    while (await sum_once(engine, org_id)).outcome is not Outcome.DONE:
        pass


async def usual_of_all(engine: AsyncEngine, org_id: UUID) -> dict[str, Usual]:
    async with RequestSession(engine, Scope(org_id, 60)) as session, session.use() as begun:
        return await load_usual(begun, org_id)


async def write(url: str, org_id: UUID, type_: str, created_at: datetime, count: int) -> None:
    """Write jobs that waited and ran for ten seconds."""
    rows = [
        job(
            org_id=org_id,
            type=type_,
            queue=f"q{n % 3}",
            status="succeeded",
            created_at=created_at,
            started_at=created_at + timedelta(seconds=10),
            finished_at=created_at + timedelta(seconds=20),
        )
        for n in range(count)
    ]
    steps = [step for row in rows for step in events(row, "queued", "running", "succeeded")]
    await insert(url, rows, steps)


async def test_the_last_days_tell_what_is_usual(database_url: str, engine: AsyncEngine) -> None:
    org_id, now = uuid4(), datetime.now(UTC)
    await write(database_url, org_id, "often", now - 2 * DAY, 15)
    await write(database_url, org_id, "often", now - DAY, 15)
    await write(database_url, org_id, "seldom", now - DAY, 5)
    await write(database_url, org_id, "once", now - 30 * DAY, 30)
    assert await usual_of_all(engine, org_id) == {}
    await sum_all(engine, org_id)
    found = await usual_of_all(engine, org_id)
    assert found.keys() == {"often", "seldom"}
    often, seldom = found["often"], found["seldom"]
    for figures in (often.wait, often.run):
        assert figures.sample == 30
        assert figures.median == pytest.approx(10, rel=0.01)
        assert figures.p95 == pytest.approx(10, rel=0.01)
    assert often.late_after == timedelta(minutes=1)
    assert often.slow_after == max(timedelta(seconds=10), timedelta(seconds=often.run.p95 or 0))
    assert (seldom.run.sample, seldom.late_after, seldom.slow_after) == (5, None, None)


async def test_it_is_made_again_when_it_is_not_fresh(
    database_url: str, engine: AsyncEngine
) -> None:
    org_id, now = uuid4(), datetime.now(UTC)
    await write(database_url, org_id, "a", now - DAY, 20)
    await sum_all(engine, org_id)
    await write(database_url, org_id, "a", now - DAY, 20)
    await sum_all(engine, org_id)
    assert (await usual_of_all(engine, org_id))["a"].run.sample == 20
    owner: Any = await asyncpg.connect(database_url)
    await owner.execute("UPDATE type_usual SET made_at = made_at - interval '1 minute'")
    await owner.close()
    await write(database_url, org_id, "b", now - DAY, 1)
    await sum_all(engine, org_id)
    found = await usual_of_all(engine, org_id)
    assert (found["a"].run.sample, found["b"].run.sample) == (40, 1)

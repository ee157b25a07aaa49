"""What is asked at every tick reads ranges of indexes, however long the history is."""

from collections.abc import AsyncIterator
from functools import partial

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.criteria import JobCriteria, JobEventCriteria
from db.engine import Scope, create_engine
from db.queries import events, news
from db.queries.keyset import EVENTS_NEWEST_FIRST, Window
from db.sessions import RequestSession
from db.statuses import JobStatus
from tests.db import history
from tests.db.history import LARGEST
from tests.db.plans import explain


@pytest.fixture(scope="module")
async def filled(database_url: str) -> AsyncIterator[AsyncEngine]:
    await history.fill(database_url)
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


async def test_ticks_read_what_is_new(database_url: str, filled: AsyncEngine) -> None:
    scope = Scope(LARGEST, statement_timeout_seconds=60)
    async with RequestSession(filled, scope) as session, session.use() as begun:
        window = Window(EVENTS_NEWEST_FIRST, 1)
        (newest,) = await events.list_events(begun, LARGEST, None, window, ())
        since = newest.ts.replace(second=0)
        rows = await news.list_event_keys(begun, LARGEST, since)
    keys = [(row.job_id, row.seq) for row in rows][:100]
    job_ids = [job_id for job_id, _ in keys][:10]
    wanted = JobEventCriteria(
        next_status=[JobStatus.QUEUED], job=JobCriteria(status=[JobStatus.QUEUED])
    )
    asked = {
        "idx_job_event_org_ts": lambda session: news.list_event_keys(session, LARGEST, since),
        "pk_job_event": lambda session: news.load_events_by_key(session, LARGEST, keys, ["detail"]),
        "pk_job": lambda session: news.filter_event_keys(session, LARGEST, keys, wanted),
    }
    for index, query in asked.items():
        for plan in await explain(filled, database_url, LARGEST, query):
            assert index in plan.indexes
            assert "Seq Scan" not in plan.kinds
            assert max(plan.rows_read) <= 2 * len(rows)
            assert plan.blocks < 5_000
    past = partial(news.list_event_keys, org_id=LARGEST, since=since, job_ids=job_ids)
    for plan in await explain(filled, database_url, LARGEST, past):
        assert "Seq Scan" not in plan.kinds
        assert max(plan.rows_read) <= 2 * len(rows)

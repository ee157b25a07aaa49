"""What is asked at every tick reads ranges of indexes, however long the history is."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.criteria import JobCriteria, JobEventCriteria
from db.effort import Effort
from db.engine import Scope, create_engine
from db.queries import event_feed, events
from db.queries.event_feed import Unseen
from db.queries.keyset import EVENTS_NEWEST_FIRST, Window
from db.request_session import RequestSession
from db.snapshots import Snapshot
from db.statuses import JobStatus
from db.tables import metadata
from tests.db.history import LARGEST
from tests.db.plans import explain

# Of how many organisations the statistics know: those that there are, and many with few jobs.
each_number = pytest.mark.parametrize("organisations", [None, 500])


@pytest.fixture(scope="module")
async def filled(large_database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(large_database_url)
    yield engine
    await engine.dispose()


@each_number
async def test_ticks_read_what_is_new(
    large_database_url: str, filled: AsyncEngine, organisations: int | None
) -> None:
    scope = Scope(LARGEST, statement_timeout_seconds=60)
    async with RequestSession(filled, scope) as session, session.use() as begun:
        window = Window(EVENTS_NEWEST_FIRST, 1_000)
        newest = await events.list_events(begun, LARGEST, None, window, ["xid"])
        first = min(row.xid for row in newest)
        now = await event_feed.get_snapshot(begun)
    keys = [(row.job_id, row.seq) for row in newest][:100]
    wanted = JobEventCriteria(
        next_status=[JobStatus.QUEUED], job=JobCriteria(status=[JobStatus.SUCCEEDED])
    )
    late = Unseen(Snapshot(now.xmax, (first, first + 1)))
    cut = Unseen(Snapshot(first), (first, *keys[-1]), until=now)
    list_unseen = event_feed.list_unseen_events
    asked: dict[str, list[Any]] = {
        "idx_job_event_org_xid": [
            partial(list_unseen, unseen=unseen, limit=501, criteria=criteria)
            for unseen in (Unseen(now), Unseen(Snapshot(first)), late, cut)
            for criteria in (None, wanted)
        ]
        + [event_feed.has_own_transaction_ids],
        "pk_job_event": [
            partial(events.load_events_by_id, ids=keys, columns=["detail"]),
            partial(event_feed.list_unseen_before, seen=late.seen, keys=keys),
        ],
        "pk_job": [partial(event_feed.filter_event_keys, keys=keys, criteria=wanted)],
    }
    for index, queries in asked.items():
        for query in queries:
            for plan in await explain(
                filled,
                large_database_url,
                LARGEST,
                partial(query, org_id=LARGEST),
                effort=Effort.VARYING,
                organisations=organisations,
            ):
                scanned = {
                    node["Relation Name"] for node in plan if node["Node Type"] == "Seq Scan"
                }
                assert index in plan.indexes
                assert not scanned & set(metadata.tables)
                assert max(plan.rows_read, default=0) <= 2_000
                assert plan.blocks < 8_000


async def test_ticks_by_time_read_what_is_new(large_database_url: str, filled: AsyncEngine) -> None:
    scope = Scope(LARGEST, statement_timeout_seconds=60)
    async with RequestSession(filled, scope) as session, session.use() as begun:
        (newest,) = await events.list_events(
            begun, LARGEST, None, Window(EVENTS_NEWEST_FIRST, 1), ()
        )
        since = newest.ts.replace(second=0)
        rows = await event_feed.list_event_keys(begun, LARGEST, since)
    job_ids = [row.job_id for row in rows][:10]
    for narrowed in (None, job_ids):
        query = partial(event_feed.list_event_keys, org_id=LARGEST, since=since, job_ids=narrowed)
        for plan in await explain(filled, large_database_url, LARGEST, query):
            assert "Seq Scan" not in plan.kinds
            assert max(plan.rows_read) <= 2 * len(rows)

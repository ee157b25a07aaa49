"""How often an organisation is polled: less often while notifications are heard and suffice."""

from datetime import UTC, datetime
from uuid import uuid4

import asyncpg

from db.engine import EngineOptions, create_engine
from db.repository import JobRepository
from db.session_scope import create_worker_engine, session_scope
from resolvers.live.hub import Hub
from resolvers.live.options import LiveOptions
from resolvers.live.subscriber_queue import SubscriberQueue
from tests.resolvers.live.watching import until

PACE = LiveOptions(poll_seconds=0.05, quiet_poll_seconds=0.4)
EVENT = """
INSERT INTO job_event (org_id, job_id, seq, ts, next_status, attempt)
SELECT $1, $2, max(seq) + 1, $3, 'queued', 0 FROM job_event WHERE org_id = $1 AND job_id = $2
"""


async def test_a_quiet_organisation_is_polled_less_often(database_url: str) -> None:
    engine = create_engine(database_url, EngineOptions(pool_size=5, notify_seconds=0.01))
    hub, org_id, queue = Hub(engine, database_url, PACE), uuid4(), SubscriberQueue(10)
    workers = create_worker_engine(database_url)
    async with session_scope(org_id, engine=workers) as session:
        job_id = (await JobRepository(session).create_job("t")).job.id
    feed = hub.feed(org_id)
    assert feed.poll_after_seconds == PACE.poll_seconds
    # Nothing listens yet, so nothing is known to be heard.
    await until(lambda: feed.polls > 3)
    assert feed.poll_after_seconds == PACE.poll_seconds
    hub.add(queue)
    await until(lambda: feed.poll_after_seconds == PACE.quiet_poll_seconds)
    writer = await asyncpg.connect(database_url)

    async def is_polled_often() -> bool:
        await writer.execute(EVENT, org_id, job_id, datetime.now(UTC))
        return feed.poll_after_seconds < PACE.quiet_poll_seconds

    # By another program, without a notification.
    await until(is_polled_often)
    await until(lambda: feed.poll_after_seconds == PACE.quiet_poll_seconds)
    hub.release_feed(feed)
    hub.remove(queue)
    await hub.stop()
    await writer.close()
    await workers.dispose()
    await engine.dispose()

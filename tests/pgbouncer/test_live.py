"""Live updates behind a transaction pooler: not heard, and known not to be; then heard directly."""

from uuid import UUID

import asyncpg

from db.connections import Pooler
from resolvers.live.subscriber_queue import SubscriberQueue
from tests.resolvers.live.watching import until
from tests.support.pgbouncer import Bouncer
from tests.support.service import ORG, serving


async def test_a_deaf_process_says_so_and_polls(bouncer: Bouncer, database_url: str) -> None:
    url = bouncer.through(database_url)
    async with serving(url, database_pooler=Pooler.TRANSACTION) as service:
        hub = service.state.hub
        assert (await service.client.get("/readyz")).json() == {"status": "ready"}
        queue = SubscriberQueue(10)
        hub.add(queue)
        feed = hub.feed(UUID(ORG))
        await until(lambda: hub.hears is False)
        told = {"status": "ready", "notifications": "not heard"}
        assert (await service.client.get("/readyz")).json() == told
        polls = feed.polls
        await until(lambda: feed.polls > polls + 1)
        hub.release_feed(feed)
        hub.remove(queue)


async def test_a_direct_address_is_enough(bouncer: Bouncer, database_url: str) -> None:
    settings = {"database_pooler": Pooler.TRANSACTION, "listen_url": database_url}
    async with serving(bouncer.through(database_url), **settings) as service:
        hub = service.state.hub
        queue = SubscriberQueue(10)
        hub.add(queue)
        await until(lambda: hub.hears)
        hub.remove(queue)
    # What listened was not one of the pooler's connections.
    owner = await asyncpg.connect(database_url)
    names = await owner.fetch(
        "SELECT application_name FROM pg_stat_activity WHERE datname = current_database()"
    )
    assert "joblens listen" not in {row["application_name"] for row in names}
    await owner.close()

"""Polls: what may have changed is read again, and what a queue takes back is told."""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import pytest

from db.facts import Source
from mirror.ledger import Ledger
from mirror.poll import Poller
from mirror.reading import connect
from tests.conftest import FreshDatabase
from tests.mirror.conftest import QueueDatabase
from tests.mirror.fake_river import DDL, FakeRiver
from tests.mirror.mirroring import engine_of, found_in, histories
from tests.support.queues import execute
from tests.support.service import ORG


class Shop(NamedTuple):
    """A queue, and the mirror that polls it."""

    river: FakeRiver
    queue_url: str
    ledger_url: str
    poller: Poller
    connection: Any

    async def poll(self) -> dict[str, list[str]]:
        await self.poller.poll(self.connection)
        return await histories(self.ledger_url, "shop")


@pytest.fixture
async def shop(fresh_database: FreshDatabase, queue_database: QueueDatabase) -> AsyncIterator[Shop]:
    ledger_url, queue_url = await fresh_database(), await queue_database()
    await execute(queue_url, DDL)
    connection, worker = await connect(queue_url), await asyncpg.connect(queue_url)
    async with engine_of(ledger_url) as engine:
        found = await found_in(connection, "river")
        poller = Poller(found, Ledger(engine, UUID(ORG), Source("shop", "river")), {})
        yield Shop(FakeRiver(worker), queue_url, ledger_url, poller, connection)
    await connection.close()
    await worker.close()


async def test_what_is_seen_alive_is_told_exactly(shop: Shop) -> None:
    job_id = await shop.river.add()
    assert await shop.poll() == {"1": ["queued 0"]}
    await shop.river.start(job_id)
    assert await shop.poll() == {"1": ["queued 0", "running 1"]}
    await shop.river.fail(job_id)
    await shop.river.start(job_id)
    await shop.river.end(job_id)
    wanted = ["queued 0", "running 1", "failed 1", "queued 1", "running 2", "succeeded 2"]
    assert await shop.poll() == {"1": wanted}
    owner = await asyncpg.connect(shop.ledger_url)
    # Seen while it ran: its row now has only the second start.
    row = await owner.fetchrow("SELECT detail FROM job_event WHERE next_status = 'running'")
    assert "exact" not in row["detail"]
    await owner.close()


async def test_a_job_that_is_committed_late_is_not_lost(shop: Shop) -> None:
    late = await asyncpg.connect(shop.queue_url)
    await shop.poll()
    transaction = late.transaction()
    await transaction.start()
    job_id = await FakeRiver(late).add()
    await FakeRiver(late).start(job_id)
    await FakeRiver(late).end(job_id)
    await shop.river.end(await shop.river.add())
    assert set(await shop.poll()) == {"2"}
    await transaction.commit()
    await late.close()
    assert set(await shop.poll()) == {"1", "2"}


async def test_a_snooze_takes_a_start_back(shop: Shop) -> None:
    job_id = await shop.river.add()
    await shop.river.start(job_id)
    await shop.poll()
    await shop.river.snooze(job_id)
    assert (await shop.poll())["1"] == ["queued 0", "running 1", "queued 1"]
    assert (await shop.poll())["1"] == ["queued 0", "running 1", "queued 1"]
    await shop.river.start(job_id)
    assert (await shop.poll())["1"][-1] == "running 2"
    await shop.river.snooze(job_id)
    assert (await shop.poll())["1"][-1] == "queued 2"


async def test_a_retry_by_hand_goes_on(shop: Shop) -> None:
    await shop.poll()
    job_id = await shop.river.add()
    await shop.river.start(job_id)
    await shop.river.fail(job_id, then="discarded")
    dead = ["queued 0", "running 1", "failed 1", "dead_letter 1"]
    assert await shop.poll() == {"1": dead}
    await shop.river.retry(job_id)
    assert await shop.poll() == {"1": [*dead, "queued 1"]}
    await shop.river.start(job_id)
    await shop.river.end(job_id)
    assert await shop.poll() == {"1": [*dead, "queued 1", "running 2", "succeeded 2"]}


async def test_a_row_that_vanishes_has_ended(shop: Shop) -> None:
    runs, waits = await shop.river.add(), await shop.river.add()
    await shop.river.start(runs)
    await shop.poll()
    await execute(shop.queue_url, "DELETE FROM river_job")
    assert await shop.poll() == {
        str(runs): ["queued 0", "running 1", "succeeded 1"],
        str(waits): ["queued 0", "canceled 0"],
    }
    assert await shop.poller.poll(shop.connection) == 0

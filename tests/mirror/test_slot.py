"""By a slot nothing is missed: not even of jobs whose rows are deleted at once."""

from uuid import UUID

import asyncpg

from db.facts import Source
from mirror.following import Follower, prepared
from mirror.ledger import Ledger
from mirror.poll import Poller
from mirror.reading import connect
from mirror.slot import SlotReader
from mirror.slots import drop_slot, ensure_publication, ensure_slot, slot_name, slot_state
from tests.conftest import FreshDatabase
from tests.mirror.conftest import QueueDatabase
from tests.mirror.fake_graphile import DDL, FakeGraphile
from tests.mirror.mirroring import engine_of, found_in, histories, inexact
from tests.support.queues import execute
from tests.support.service import ORG

SLOT = slot_name(UUID(ORG), "shop")


async def test_each_change_is_copied_with_its_time(
    fresh_database: FreshDatabase, logical_database: QueueDatabase
) -> None:
    ledger_url, queue_url = await fresh_database(), await logical_database()
    await execute(queue_url, DDL)
    connection = await connect(queue_url)
    worker = await asyncpg.connect(queue_url)
    async with engine_of(ledger_url) as engine:
        ledger = Ledger(engine, UUID(ORG), Source("shop", "graphile_worker"))
        follower = await follower_of(connection, ledger, {})
        await follower.follow(connection)
        wanted = await FakeGraphile(worker).play()
        await follower.follow(connection)
    assert await histories(ledger_url, "shop") == wanted
    assert await inexact(ledger_url) == 0
    state = await slot_state(connection, SLOT)
    assert state is not None
    await connection.close()
    await worker.close()


async def test_a_lost_slot_is_made_anew_and_says_so(
    fresh_database: FreshDatabase, logical_database: QueueDatabase
) -> None:
    ledger_url, queue_url = await fresh_database(), await logical_database()
    await execute(queue_url, DDL)
    connection = await connect(queue_url)
    queue = FakeGraphile(connection)
    checkpoint: dict[str, object] = {}
    async with engine_of(ledger_url) as engine:
        ledger = Ledger(engine, UUID(ORG), Source("shop", "graphile_worker"))
        await (await follower_of(connection, ledger, checkpoint)).follow(connection)
        job_id = await queue.add()
        await connection.execute("SELECT pg_drop_replication_slot($1)", SLOT)
        await queue.start(job_id)
        follower = await follower_of(connection, ledger, checkpoint)
        await follower.follow(connection)
        assert await histories(ledger_url, "shop") == {"1": ["queued 0", "running 1"]}
        await queue.succeed(job_id)
        await follower.follow(connection)
    assert (await histories(ledger_url, "shop"))["1"][-1] == "succeeded 1"
    owner = await asyncpg.connect(ledger_url)
    assert "the slot was lost" in await owner.fetchval("SELECT last_error FROM source")
    assert await owner.fetchval("SELECT backlog_bytes FROM source") >= 0
    await owner.close()
    await connection.close()


async def test_it_is_dropped_with_its_publication(logical_database: QueueDatabase) -> None:
    queue_url = await logical_database()
    await execute(queue_url, DDL)
    connection = await connect(queue_url)
    found = await found_in(connection, "graphile_worker")
    await ensure_publication(connection, found, SLOT)
    await ensure_slot(connection, SLOT)
    await drop_slot(connection, SLOT)
    assert await slot_state(connection, SLOT) is None
    assert not await connection.fetch("SELECT FROM pg_publication")
    await connection.close()


async def follower_of(
    connection: object,
    ledger: Ledger,
    checkpoint: dict[str, object],
    kind: str = "graphile_worker",
) -> Follower:
    found = await found_in(connection, kind)
    poller = Poller(found, ledger, checkpoint)
    return await prepared(connection, poller, SlotReader(found, ledger, SLOT, checkpoint))

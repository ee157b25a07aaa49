"""A mirror runs one at a time for each source, and goes on when what was away is back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.facts import Source, ensure_source
from db.facts.mirrored import get_source, update_source
from db.session_scope import session_scope
from mirror import runner
from mirror.options import MirrorOptions, Way
from mirror.runner import Runner
from mirror.supervisor import Mirrors
from tests.conftest import FreshDatabase
from tests.mirror.conftest import QueueDatabase
from tests.mirror.fake_river import DDL, FakeRiver
from tests.mirror.mirroring import engine_of, histories
from tests.support.patience import PATIENCE_SECONDS
from tests.support.proxy import proxy
from tests.support.queues import execute
from tests.support.service import ORG

ORG_ID = UUID(ORG)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "LONGEST_WAIT_SECONDS", 0.1)
    monkeypatch.setattr(runner, "OPTIONS_SECONDS", 0.2)


async def test_it_goes_on_after_its_queue_was_away(
    fresh_database: FreshDatabase, queue_database: QueueDatabase
) -> None:
    ledger_url, queue_url = await fresh_database(), await queue_database()
    await execute(queue_url, DDL)
    worker = await asyncpg.connect(queue_url)
    async with proxy(queue_url) as between, engine_of(ledger_url) as engine:
        await add(engine, between.url)
        async with running(Runner(engine, ledger_url, ORG_ID, "shop")):
            await FakeRiver(worker).add()
            await until(lambda: histories(ledger_url, "shop"), lambda found: len(found) == 1)
            between.refuses = True
            between.end_all()
            await until(lambda: error(ledger_url), bool)
            await FakeRiver(worker).end(await FakeRiver(worker).add())
            between.refuses = False
            wanted = {"1": ["queued 0"], "2": ["queued 0", "running 1", "succeeded 1"]}
            await until(lambda: histories(ledger_url, "shop"), lambda found: len(found) == 2)
            assert (await histories(ledger_url, "shop"))["1"] == wanted["1"]
            await until(lambda: error(ledger_url), lambda told: told is None)
    await worker.close()


async def test_it_goes_on_after_the_ledger_was_away(
    fresh_database: FreshDatabase, queue_database: QueueDatabase
) -> None:
    ledger_url, queue_url = await fresh_database(), await queue_database()
    await execute(queue_url, DDL)
    worker = await asyncpg.connect(queue_url)
    async with proxy(ledger_url) as between, engine_of(between.url) as engine:
        await add(engine, queue_url)
        async with running(Runner(engine, between.url, ORG_ID, "shop")):
            await FakeRiver(worker).add()
            await until(lambda: histories(ledger_url, "shop"), lambda found: len(found) == 1)
            between.refuses = True
            between.end_all()
            await FakeRiver(worker).add()
            await asyncio.sleep(0.3)
            between.refuses = False
            await until(lambda: histories(ledger_url, "shop"), lambda found: len(found) == 2)
    await worker.close()


async def test_two_processes_do_not_follow_one_source(
    fresh_database: FreshDatabase, queue_database: QueueDatabase
) -> None:
    ledger_url, queue_url = await fresh_database(), await queue_database()
    await execute(queue_url, DDL)
    worker = await asyncpg.connect(queue_url)
    async with engine_of(ledger_url) as engine:
        await add(engine, queue_url)
        async with running(*(Runner(engine, ledger_url, ORG_ID, "shop") for _ in range(3))):
            await FakeRiver(worker).add()
            await until(lambda: histories(ledger_url, "shop"), lambda found: len(found) == 1)
            following = (
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'joblens mirror' "
                "AND datname = current_database()"
            )
            assert await worker.fetchval(following) == 1
    await worker.close()


async def test_it_ends_when_the_source_is_removed(
    fresh_database: FreshDatabase, queue_database: QueueDatabase
) -> None:
    ledger_url, queue_url = await fresh_database(), await queue_database()
    await execute(queue_url, DDL)
    async with engine_of(ledger_url) as engine:
        await add(engine, queue_url)
        running_on = asyncio.create_task(Runner(engine, ledger_url, ORG_ID, "shop").run())
        await set_source(engine, settings=None)
        await asyncio.wait_for(running_on, PATIENCE_SECONDS)


async def test_serving_processes_follow_what_is_added(
    fresh_database: FreshDatabase, queue_database: QueueDatabase
) -> None:
    ledger_url, queue_url = await fresh_database(), await queue_database()
    await execute(queue_url, DDL)
    worker = await asyncpg.connect(queue_url)
    await FakeRiver(worker).add()
    async with engine_of(ledger_url) as engine:
        await add(engine, queue_url)
        mirrors = Mirrors(ledger_url, ORG_ID)
        await mirrors.work()
        await until(lambda: histories(ledger_url, "shop"), lambda found: len(found) == 1)
        await mirrors.stop()
    await worker.close()


async def add(engine: AsyncEngine, url: str, kind: str = "river", way: Way = "poll") -> None:
    """Add a source, as `joblens mirror add` does."""
    async with session_scope(ORG_ID, engine=engine) as session:
        await ensure_source(session, ORG_ID, Source("shop", kind))
    options = MirrorOptions(url=url, interval_seconds=0.1, way=way, slot="joblens_shop")
    await set_source(engine, settings=options.stored, checkpoint={})


async def set_source(engine: AsyncEngine, **values: Any) -> None:
    async with session_scope(ORG_ID, engine=engine) as session:
        row = await get_source(session, ORG_ID, "shop")
        assert row is not None
        await update_source(session, ORG_ID, row.id, values)


async def error(ledger_url: str) -> str | None:
    connection = await asyncpg.connect(ledger_url)
    told: str | None = await connection.fetchval("SELECT last_error FROM source")
    await connection.close()
    return told


async def until(read: Callable[[], Any], is_so: Callable[[Any], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so(await read()):  # noqa: ASYNC110 - the ledger has no event for it
            await asyncio.sleep(0.05)


@asynccontextmanager
async def running(*runners: Runner) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each.run()) for each in runners]
    yield
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

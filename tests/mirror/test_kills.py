"""Killed at any point between two statements, and started again: no event is lost or doubled."""

from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.facts import Source
from db.facts.mirrored import get_source
from db.session_scope import session_scope
from mirror import chunks, poll
from mirror.ledger import Ledger
from mirror.poll import Poller
from mirror.reading import Found, connect
from mirror.slot import SlotReader
from mirror.slots import ensure_publication, ensure_slot
from tests.conftest import FreshDatabase
from tests.mirror import fake_graphile, fake_river
from tests.mirror.conftest import QueueDatabase
from tests.mirror.fake_graphile import FakeGraphile
from tests.mirror.fake_river import FakeRiver
from tests.mirror.killing import Fuse, KilledError, Wired, burning
from tests.mirror.mirroring import engine_of, found_in, histories
from tests.support.queues import execute
from tests.support.service import ORG

ORG_ID = UUID(ORG)
SLOT = "joblens_shop"


async def test_by_a_slot(
    fresh_database: FreshDatabase,
    logical_database: QueueDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_CHANGES", 4)
    ledger_url, queue_url = await fresh_database(), await logical_database()
    await execute(queue_url, fake_graphile.DDL)
    connection = await connect(queue_url)
    found = await found_in(connection, "graphile_worker")
    await ensure_publication(connection, found, SLOT)
    await ensure_slot(connection, SLOT)
    wanted = await FakeGraphile(connection).play()
    kills = 0
    async with engine_of(ledger_url) as engine:
        for statements in range(1, 10_000):
            name, fuse = f"shop {statements}", Fuse(statements)
            await killed(read_slot(engine, connection, found, name, fuse))
            await read_slot(engine, connection, found, name, Fuse(10_000))
            assert await histories(ledger_url, name) == wanted, statements
            if not fuse.is_blown:
                break
            kills += 1
    assert kills > 30
    await connection.close()


async def test_by_polls(
    fresh_database: FreshDatabase,
    queue_database: QueueDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(poll, "PAGE_JOBS", 2)
    ledger_url, queue_url = await fresh_database(), await queue_database()
    await execute(queue_url, fake_river.DDL)
    connection = await connect(queue_url)
    found = await found_in(connection, "river")
    wanted = await ended_and_waiting(FakeRiver(connection))
    kills = 0
    async with engine_of(ledger_url) as engine:
        for statements in range(1, 10_000):
            name, fuse = f"shop {statements}", Fuse(statements)
            await killed(read_rows(engine, connection, found, name, fuse))
            await read_rows(engine, connection, found, name, Fuse(10_000))
            assert await histories(ledger_url, name) == wanted, statements
            if not fuse.is_blown:
                break
            kills += 1
    assert kills > 30
    await connection.close()


async def killed(run: Any) -> None:
    with suppress(KilledError):
        await run


async def read_slot(
    engine: AsyncEngine, connection: Any, found: Found, name: str, fuse: Fuse
) -> None:
    checkpoint = await checkpoint_of(engine, name)
    ledger = Ledger(engine, ORG_ID, Source(name, "graphile_worker"))
    with burning(engine, fuse):
        await SlotReader(found, ledger, SLOT, checkpoint).read(Wired(connection, fuse))


async def read_rows(
    engine: AsyncEngine, connection: Any, found: Found, name: str, fuse: Fuse
) -> None:
    checkpoint = await checkpoint_of(engine, name)
    poller = Poller(found, Ledger(engine, ORG_ID, Source(name, "river")), checkpoint)
    wired = Wired(connection, fuse)
    with burning(engine, fuse):
        await poller.poll(wired)
        while await poller.backfill(wired):
            pass


async def checkpoint_of(engine: AsyncEngine, name: str) -> dict[str, Any]:
    async with session_scope(ORG_ID, engine=engine) as session:
        row = await get_source(session, ORG_ID, name)
    return (row.checkpoint if row is not None else None) or {}


async def ended_and_waiting(river: FakeRiver) -> dict[str, list[str]]:
    _waits, works, retried, dead, called_off = [await river.add() for _ in range(5)]
    for job_id in (works, retried, dead):
        await river.start(job_id)
    await river.end(works)
    await river.fail(retried)
    await river.start(retried)
    await river.end(retried)
    await river.fail(dead, then="discarded")
    await river.end(called_off, "cancelled")
    failed = ["queued 0", "running 1", "failed 1"]
    return {
        "1": ["queued 0"],
        "2": ["queued 0", "running 1", "succeeded 1"],
        "3": [*failed, "queued 1", "running 2", "succeeded 2"],
        "4": [*failed, "dead_letter 1"],
        "5": ["queued 0", "canceled 0"],
    }

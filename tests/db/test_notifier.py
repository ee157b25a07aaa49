"""Notifications after commits: gathered, by one connection, and none without a commit."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID, uuid4

import asyncpg
import pytest
from structlog.testing import CapturingLogger

from db.engine import EngineOptions
from db.notifier import CHANNEL, Notifier
from db.pool import notifier_of
from db.repository import JobRepository
from db.session_scope import create_worker_engine, session_scope
from tests.conftest import FreshDatabase
from tests.support.patience import PATIENCE_SECONDS

LATER = EngineOptions(pool_size=3, notify_seconds=0.03)


@asynccontextmanager
async def heard(url: str) -> AsyncIterator[asyncio.Queue[str]]:
    listener = await asyncpg.connect(url)
    payloads: asyncio.Queue[str] = asyncio.Queue()
    await listener.add_listener(CHANNEL, lambda *given: payloads.put_nowait(given[3]))
    try:
        yield payloads
    finally:
        await listener.close()


async def next_of(payloads: asyncio.Queue[str]) -> str:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await payloads.get()


async def test_one_notification_of_many_commits(fresh_database: FreshDatabase) -> None:
    """The first at once, and those of an interval that does not end as one."""
    url = await fresh_database()
    org_ids = sorted(uuid4() for _ in range(2))
    notifier = Notifier(url, interval_seconds=3600)
    async with heard(url) as payloads:
        notifier.add(org_ids[0])
        assert await next_of(payloads) == str(org_ids[0])
        for _ in range(100):
            for org_id in org_ids:
                notifier.add(org_id)
        # What is pending at the end is sent.
        notifier._timeout_seconds = 0.01
        stopping = asyncio.create_task(notifier.stop())
        last = sorted([await next_of(payloads) for _ in org_ids])
        assert last == [str(org_id) for org_id in org_ids]
        await stopping
        assert payloads.empty()


async def test_commits_are_told_and_nothing_else(fresh_database: FreshDatabase) -> None:
    url = await fresh_database()
    engine = create_worker_engine(url, LATER)
    rolled_back, committed = uuid4(), uuid4()
    async with heard(url) as payloads:
        with suppress(ZeroDivisionError):
            async with session_scope(rolled_back, engine=engine) as session:
                await JobRepository(session).create_job("t")
                raise ZeroDivisionError
        async with session_scope(committed, engine=engine) as session:
            await JobRepository(session).create_job("t")
            await asyncio.sleep(0.1)
            assert payloads.empty()
        assert await next_of(payloads) == str(committed)
        await engine.dispose()
        assert payloads.empty()


async def test_a_disposed_engine_has_told_all(fresh_database: FreshDatabase) -> None:
    url = await fresh_database()
    async with heard(url) as payloads:
        org_ids: set[UUID] = set()
        for _ in range(3):
            engine = create_worker_engine(url, LATER)
            for _ in range(5):
                org_ids.add(org_id := uuid4())
                async with session_scope(org_id, engine=engine) as session:
                    await JobRepository(session).create_job("t")
            await engine.dispose()
        assert {await next_of(payloads) for _ in org_ids} == {str(each) for each in org_ids}
    owner = await asyncpg.connect(url)
    names = await owner.fetch(
        "SELECT application_name FROM pg_stat_activity WHERE datname = current_database()"
    )
    assert "joblens notify" not in {row[0] for row in names}
    await owner.close()


async def test_a_lost_connection_is_replaced(fresh_database: FreshDatabase) -> None:
    url = await fresh_database()
    notifier = Notifier(url)
    owner = await asyncpg.connect(url)
    async with heard(url) as payloads:
        for _ in range(3):
            org_id = uuid4()
            notifier.add(org_id)
            assert await next_of(payloads) == str(org_id)
            await owner.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE application_name = 'joblens notify' AND datname = current_database()"
            )
    await owner.close()
    await notifier.stop()


async def test_a_server_that_is_away_costs_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    log = CapturingLogger()
    monkeypatch.setattr("db.notifier.log", log)
    notifier = Notifier("postgresql://postgres@127.0.0.1:1/nowhere", interval_seconds=0)
    for _ in range(3):
        notifier.add(uuid4())
        await asyncio.sleep(0.05)
    await notifier.stop()
    assert [call.args for call in log.calls] == [("cannot send notifications",)]


@pytest.mark.parametrize("seconds", [None, 0.03])
def test_what_an_ended_loop_has_pending_is_sent(database_url: str, seconds: float | None) -> None:
    """As in a program that runs once, by `asyncio.run`, whether or not it disposes."""
    org_id = uuid4()

    async def program() -> None:
        options = EngineOptions(pool_size=1, notify_seconds=seconds)
        engine = create_worker_engine(database_url, options)
        assert (notifier_of(engine) is None) == (seconds is None)
        async with session_scope(org_id, engine=engine) as session:
            await JobRepository(session).create_job("t")
        await engine.dispose()

    async def listened() -> str:
        async with heard(database_url) as payloads:
            await asyncio.to_thread(asyncio.run, program())
            return await next_of(payloads)

    assert asyncio.run(listened()) == str(org_id)

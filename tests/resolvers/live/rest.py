"""What a server is like when nobody asks it for anything: the state it must come back to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.pool import QueuePool

from tests.support.patience import PATIENCE_SECONDS
from tests.support.service import Service

BUSY = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle'"
)


@asynccontextmanager
async def back_to_rest(service: Service, database_url: str) -> AsyncIterator[None]:
    """See that what goes on inside leaves no task, no connection and no transaction behind."""
    before = asyncio.all_tasks()
    yield
    pool = service.engine.pool
    assert isinstance(pool, QueuePool)
    connection = await asyncpg.connect(database_url)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                tasks, lent = asyncio.all_tasks() - before, pool.checkedout()
                busy = await connection.fetchval(BUSY)
                if not (tasks or lent or busy):
                    break
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"left: {tasks}, {lent} connections, {busy} of them busy") from None
    finally:
        await connection.close()


@asynccontextmanager
async def table_locked(database_url: str) -> AsyncIterator[None]:
    """Keep every query of jobs waiting."""
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE job IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


async def until_someone_waits(database_url: str, count: int = 1) -> None:
    """Wait until `count` queries wait for a lock."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock'"
    )
    connection = await asyncpg.connect(database_url)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await connection.fetchval(waiting) < count:  # noqa: ASYNC110 - PostgreSQL tells nobody
                await asyncio.sleep(0.01)
    finally:
        await connection.close()

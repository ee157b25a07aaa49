"""An engine for repositories, organisations of their own for each test, and ways to break things."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import _commit
from joblens import create_worker_engine


@pytest.fixture(scope="module")
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_worker_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def org_id() -> UUID:
    return uuid4()


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[Any]:
    """A connection that sees every organisation."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def doomed(database_url: str, owner: Any) -> AsyncIterator["Doomed"]:
    """An engine whose connections can be killed just before or just after COMMIT."""
    engine = create_worker_engine(database_url)
    yield Doomed(engine, owner)
    await engine.dispose()


class Doomed:
    """`kills` holds when backends die: one entry a COMMIT, `before` it, `after` it, or None."""

    def __init__(self, engine: AsyncEngine, owner: Any) -> None:
        self.engine = engine
        self.kills: list[str | None] = []
        self._owner = owner
        event.remove(engine.sync_engine, "commit", _commit)
        event.listen(engine.sync_engine, "commit", self._commit)

    async def kill(self, pid: int) -> None:
        assert await self._owner.fetchval("SELECT pg_terminate_backend($1, 10000)", pid)

    def _commit(self, connection: Any) -> None:
        when = self.kills.pop(0) if self.kills else None
        if when == "before":
            self._kill(connection)
        _commit(connection)
        if when == "after":
            # As a client sees it whose connection breaks before the answer to COMMIT arrives.
            self._kill(connection)
            connection.connection.dbapi_connection.run_async(lambda driver: driver.execute(""))

    def _kill(self, connection: Any) -> None:
        async def kill(driver: Any) -> None:
            await self.kill(driver.get_server_pid())

        connection.connection.dbapi_connection.run_async(kill)

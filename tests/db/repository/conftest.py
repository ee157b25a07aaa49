"""An engine for repositories, organisations of their own for each test, and ways to break things."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.transactions import Transaction
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
async def doomed(
    database_url: str, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator["Doomed"]:
    """An engine whose connections can be killed just before or just after COMMIT."""
    engine = create_worker_engine(database_url)
    doomed = Doomed(engine, owner)
    commit = Transaction.commit

    async def killed_commit(transaction: Transaction) -> None:
        await doomed.commit(transaction, commit)

    monkeypatch.setattr(Transaction, "commit", killed_commit)
    yield doomed
    await engine.dispose()


class Doomed:
    """`kills` holds when backends die: one entry a COMMIT, `before` it, `after` it, or None."""

    def __init__(self, engine: AsyncEngine, owner: Any) -> None:
        self.engine = engine
        self.kills: list[str | None] = []
        self._owner = owner

    async def kill(self, pid: int) -> None:
        assert await self._owner.fetchval("SELECT pg_terminate_backend($1, 10000)", pid)

    async def commit(
        self, transaction: Transaction, commit: Callable[[Transaction], Awaitable[None]]
    ) -> None:
        when = self.kills.pop(0) if self.kills else None
        driver: Any = transaction.sync_connection.connection.driver_connection
        if when == "before":
            await self.kill(driver.get_server_pid())
        await commit(transaction)
        if when == "after":
            # As a client sees it whose connection breaks before the answer to COMMIT arrives.
            await self.kill(driver.get_server_pid())
            await driver.execute("")

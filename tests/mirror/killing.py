"""Kills a mirror at any statement: of the queue, of the ledger, and before and after a COMMIT."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from db.transactions import Transaction


class KilledError(Exception):
    """The mirror was killed."""


class Fuse:
    """Blows at the statement of this number."""

    def __init__(self, statements: int) -> None:
        self.left = statements

    @property
    def is_blown(self) -> bool:
        return self.left <= 0

    def burn(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise KilledError


class Wired:
    """A connection to a queue that burns a fuse. Its slots are never moved, so they can be reread."""

    def __init__(self, connection: Any, fuse: Fuse) -> None:
        self._connection, self._fuse = connection, fuse

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def fetch(self, *given: Any) -> Any:
        self._fuse.burn()
        return await self._connection.fetch(*given)

    async def fetchrow(self, *given: Any) -> Any:
        self._fuse.burn()
        return await self._connection.fetchrow(*given)

    async def fetchval(self, *given: Any) -> Any:
        self._fuse.burn()
        return await self._connection.fetchval(*given)

    async def execute(self, statement: str, *given: Any) -> Any:
        self._fuse.burn()
        if "pg_replication_slot_advance" not in statement:
            await self._connection.execute(statement, *given)


@contextmanager
def burning(engine: AsyncEngine, fuse: Fuse) -> Iterator[None]:
    """Burn the fuse at each statement of the ledger, and before and after each COMMIT."""

    def burn(*_given: Any) -> None:
        fuse.burn()

    commit = Transaction.commit

    async def committed(self: Transaction) -> None:
        fuse.burn()
        await commit(self)
        fuse.burn()

    event.listen(engine.sync_engine, "before_cursor_execute", burn)
    Transaction.commit = committed  # type: ignore[method-assign]
    try:
        yield
    finally:
        Transaction.commit = commit  # type: ignore[method-assign]
        event.remove(engine.sync_engine, "before_cursor_execute", burn)

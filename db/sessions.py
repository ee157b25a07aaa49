"""One request's transaction: begun at its first statement, its statements one after another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from db.engine import SCOPE_OPTION, Scope

QUERY_CANCELED = "57014"
# Classes of SQLSTATE in which the server could not serve, whatever was asked.
AWAY_CLASSES = ("08", "53", "57P")


class StatementTimeoutError(Exception):
    """A statement ran longer than its transaction's scope allows."""


class DatabaseUnavailableError(Exception):
    """The database could not be reached, has no connection to spare, or hung up."""


class RequestSession:
    """A lazy AsyncSession that siblings may share: whoever comes second waits.

    The connection is taken from the pool by the first `use()` and given back by `close()`.
    """

    def __init__(self, engine: AsyncEngine, scope: Scope) -> None:
        self._engine = engine
        self._scope = scope
        self._turn = asyncio.Lock()
        self._session: AsyncSession | None = None
        self._failure: Exception | None = None

    @asynccontextmanager
    async def use(self) -> AsyncIterator[AsyncSession]:
        """Wait for this session's turn and lend it out, its transaction begun.

        Raises StatementTimeoutError or DatabaseUnavailableError in place of the driver's errors
        of that meaning; any other error passes as it is. After an error of the database the
        transaction is lost: whoever comes later gets the same error.
        """
        async with self._turn:
            if self._failure is not None:
                raise self._failure
            try:
                yield await self._begun()
            except (DBAPIError, PoolTimeoutError, OSError, TimeoutError) as error:
                self._failure = _meaning(error)
                raise self._failure from error

    async def _begun(self) -> AsyncSession:
        if self._session is None:
            session = AsyncSession(self._engine, autoflush=False, expire_on_commit=False)
            try:
                await session.connection(execution_options={SCOPE_OPTION: self._scope})
            except BaseException:
                await session.close()
                raise
            self._session = session
        return self._session

    async def close(self) -> None:
        """End the transaction, keeping nothing of it, and give the connection back."""
        session, self._session = self._session, None
        if session is not None:
            try:
                await session.close()
            except (DBAPIError, OSError):
                # The connection died; what it had begun died with it.
                await session.invalidate()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


def _meaning(error: Exception) -> Exception:
    if not isinstance(error, DBAPIError):
        return DatabaseUnavailableError()
    state = str(getattr(error.orig, "sqlstate", None) or "")
    if state == QUERY_CANCELED:
        return StatementTimeoutError()
    away = error.connection_invalidated or state.startswith(AWAY_CLASSES)
    if away or (not state and isinstance(error, OperationalError | InterfaceError)):
        return DatabaseUnavailableError()
    return error

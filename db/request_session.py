"""One request's transaction: begun at its first statement, its statements one after another."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from types import TracebackType
from typing import Self

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlalchemy.orm import Session

from db.database_errors import DATABASE_ERRORS, translate, translate_commit
from db.engine import SCOPE_OPTION, FairPool, Scope, cancel_statement
from db.fair_queue import Lease

# A cancel request may overtake the statement that it is meant for: it is sent again.
CANCEL_AGAIN_SECONDS = 0.25


class SessionClosedError(Exception):
    """The request has ended; whoever still asks comes too late."""


class RequestSession:
    """A lazy AsyncSession that siblings may share: whoever comes second waits.

    The connection is taken from the pool by the first `use()` and given back by `close()`. Sessions
    of one `key` share what the pool has for them: left out, it is the organisation's.
    """

    def __init__(self, engine: AsyncEngine, scope: Scope, key: Hashable = None) -> None:
        self._engine = engine
        self._scope = scope
        self._key = scope.org_id if key is None else key
        self._turn = asyncio.Lock()
        # What was taken by now, and how to give it back.
        self._held = AsyncExitStack()
        self._slot: Lease | None = None
        self._connection: AsyncConnection | None = None
        self._session: AsyncSession | None = None
        self._failure: Exception | None = None
        self._is_lent = False
        self._cancelling: asyncio.Task[None] | None = None
        # Set when what is being cancelled is over.
        self._is_over = asyncio.Event()
        self._closing: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def use(self) -> AsyncIterator[AsyncSession]:
        """Wait for this session's turn and lend it out, its transaction begun.

        Raises StatementTimeoutError or DatabaseUnavailableError in place of the driver's errors
        of that meaning; any other error passes as it is. After an error of the database the
        transaction is lost: whoever comes later gets the same error.
        """
        async with self._turn:
            self._raise_failure()
            try:
                session = await self._begun()
                # It may have been stopped meanwhile.
                self._raise_failure()
                self._is_lent = True
                yield session
            except DATABASE_ERRORS as error:
                self._failure = self._failure or translate(error) or error
                if self._failure is error:
                    raise
                raise self._failure from error
            finally:
                self._is_lent = False
                self._is_over.set()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    async def _begun(self) -> AsyncSession:
        if self._session is None:
            try:
                self._session = await self._begin()
            except BaseException:
                await _finished(asyncio.create_task(self._held.aclose()))
                raise
        return self._session

    async def _begin(self) -> AsyncSession:
        pool = self._engine.pool
        assert isinstance(pool, FairPool)
        self._slot = pool.turns.request(self._key)
        self._held.callback(self._slot.release)
        await self._slot.wait(pool.timeout())
        connection = await self._engine.connect()
        # Bound to the connection: whatever is done with the session, the connection stays here.
        session = AsyncSession(connection, autoflush=False, expire_on_commit=False)
        self._held.push_async_callback(session.run_sync, _give_back)
        await session.connection(execution_options={SCOPE_OPTION: self._scope})
        self._connection = connection
        return session

    def again(self) -> "RequestSession":
        """Get another session of the same scope, for what is to see what was written since."""
        return RequestSession(self._engine, self._scope, self._key)

    def writing(self) -> "RequestSession":
        """Get a session of the same organisation that may write."""
        return RequestSession(self._engine, replace(self._scope, read_only=False), self._key)

    async def commit(self) -> None:
        """Commit what was written; raise as `use()` does where that failed.

        Raises CommitUncertainError where the connection is lost, and so the outcome unknown. Once
        COMMIT has begun, `stop()` comes too late.
        """
        async with self._turn:
            self._raise_failure()
            if self._session is not None:
                try:
                    await self._session.commit()
                except DATABASE_ERRORS as error:
                    meaning = translate_commit(error) or translate(error)
                    if meaning is not None:
                        raise meaning from error
                    raise

    def stop(self, failure: Exception) -> None:
        """Let nothing more be asked: from now on `use()` and `commit()` raise `failure`.

        A statement that runs is cancelled in the database, and whoever waits for it gets the same.
        So does who waits for a connection.
        """
        self._failure = self._failure or failure
        if self._slot is not None:
            self._slot.refuse(self._failure)
        if self._is_lent and self._cancelling is None:
            self._is_over.clear()
            self._cancelling = asyncio.create_task(self._cancel())

    async def _cancel(self) -> None:
        """Cancel statements until whoever has the session lets go of it."""
        assert self._connection is not None
        while not self._is_over.is_set():
            await cancel_statement(self._connection)
            with suppress(TimeoutError):
                async with asyncio.timeout(CANCEL_AGAIN_SECONDS):
                    await self._is_over.wait()

    async def close(self) -> None:
        """End the transaction, keeping nothing of it, and give the connection back.

        A statement that still runs is cancelled: nobody waits for it any more, where the client is
        gone, or where a field has failed and its siblings' batches go on. From now on `use()`
        raises SessionClosedError.
        """
        closed = SessionClosedError()
        self.stop(closed)
        self._failure = closed
        if self._closing is None and (self._turn.locked() or self._cancelling is not None):
            self._closing = asyncio.create_task(self._close())
        await (self._close() if self._closing is None else _finished(self._closing))

    async def _close(self) -> None:
        async with self._turn:
            if self._cancelling is not None:
                # A cancel request on its way must not meet the ROLLBACK, or the next request.
                await self._cancelling
            self._session = None
            await self._held.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


def _give_back(session: Session) -> None:
    assert isinstance(session.bind, Connection)
    try:
        session.close()
    finally:
        session.bind.close()


async def _finished(task: asyncio.Task[None]) -> None:
    """Wait for the task to end, also where the waiting one is cancelled meanwhile."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        with suppress(BaseException):
            task.result()
        raise cancelled
    task.result()

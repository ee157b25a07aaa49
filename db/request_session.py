"""A request's transaction: it begins with its first statement and runs one statement at a time."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from time import perf_counter
from types import TracebackType
from typing import Self

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from db.database_errors import (
    DATABASE_ERRORS,
    ScanTimeoutError,
    StatementTimeoutError,
    translate,
    translate_commit,
)
from db.effort import Effort
from db.engine import Scope, cancel_statement
from db.fair_queue import Lease
from db.pool import FairPool
from db.transactions import Transaction, session_of

# A cancel request may arrive before its statement, so it is repeated.
CANCEL_INTERVAL_SECONDS = 0.25


class SessionClosedError(Exception):
    """The session was used after it was closed."""


class RequestSession:
    """A lazy AsyncSession shared by the resolvers of a request, which take turns.

    The first `use()` takes a connection from the pool, `close()` returns it. `key` identifies the
    session's client in the pool's fair queue; it defaults to the organisation.
    """

    def __init__(self, engine: AsyncEngine, scope: Scope, key: Hashable = None) -> None:
        self._engine = engine
        self._scope = scope
        self._key = scope.org_id if key is None else key
        self._lock = asyncio.Lock()
        self._lease: Lease | None = None
        self._transaction: Transaction | None = None
        self._session: AsyncSession | None = None
        self._failure: Exception | None = None
        # How many tasks use it or wait to.
        self._users = 0
        self._is_in_use = False
        self._cancelling: asyncio.Task[None] | None = None
        # Set when the use that is being cancelled has ended.
        self._use_ended = asyncio.Event()
        self._closing: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def use(self, effort: Effort = Effort.STEADY) -> AsyncIterator[AsyncSession]:
        """Yield the session with its transaction begun, once no other task uses it.

        Raises StatementTimeoutError, ScanTimeoutError or DatabaseUnavailableError for the driver's
        errors with that meaning, and other errors unchanged. After a database error the transaction
        is lost, and every later use raises the same error, or StatementTimeoutError for
        ScanTimeoutError.
        """
        self._users += 1
        try:
            async with self._lock:
                self._raise_failure()
                try:
                    session = await self._begin_once()
                    # `stop()` may have been called meanwhile.
                    self._raise_failure()
                    self._is_in_use = True
                    assert self._transaction is not None
                    await self._transaction.prepare_for(effort)
                    yield session
                except asyncio.CancelledError:
                    # The driver cancels the statement, and with it the transaction.
                    self._failure = self._failure or SessionClosedError()
                    raise
                except DATABASE_ERRORS as error:
                    was_stopped = self._failure is not None
                    self._failure = self._failure or translate(error) or error
                    if self._failure is error:
                        raise
                    if effort is Effort.SCANNING and _is_timeout(self._failure) and not was_stopped:
                        raise ScanTimeoutError from error
                    raise self._failure from error
                finally:
                    self._is_in_use = False
                    self._use_ended.set()
        finally:
            self._users -= 1

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    async def _begin_once(self) -> AsyncSession:
        if self._session is None:
            try:
                self._session = await self._begin()
            except BaseException:
                await _wait_for(asyncio.create_task(self._release()))
                raise
        return self._session

    async def _begin(self) -> AsyncSession:
        pool = self._engine.pool
        assert isinstance(pool, FairPool)
        began = perf_counter()
        try:
            self._lease = pool.queue.request(self._key)
            await self._lease.wait(pool.timeout())
            self._transaction = await Transaction.begin(self._engine, self._scope)
        finally:
            if pool.on_wait is not None:
                pool.on_wait(perf_counter() - began)
        return session_of(self._transaction)

    def renewed(self) -> "RequestSession":
        """Return a new session of the same scope, which sees what was committed meanwhile."""
        return RequestSession(self._engine, self._scope, self._key)

    def writable(self) -> "RequestSession":
        """Return a new read-write session of the same organisation."""
        return RequestSession(self._engine, replace(self._scope, read_only=False), self._key)

    async def commit(self) -> None:
        """Commit the transaction. Raises as `use()` does.

        Raises CommitUncertainError if the connection is lost, so that the outcome is unknown.
        `stop()` has no effect once COMMIT has been sent.
        """
        async with self._lock:
            self._raise_failure()
            if self._transaction is not None:
                try:
                    await self._transaction.commit()
                except DATABASE_ERRORS as error:
                    meaning = translate_commit(error) or translate(error)
                    if meaning is not None:
                        raise meaning from error
                    raise

    def stop(self, failure: Exception) -> None:
        """Make `use()` and `commit()` raise `failure` from now on.

        A running statement is cancelled in the database. Tasks that wait for it, or for a
        connection, get `failure` as well.
        """
        self._failure = self._failure or failure
        if self._lease is not None:
            self._lease.refuse(self._failure)
        if self._is_in_use and self._cancelling is None:
            self._use_ended.clear()
            self._cancelling = asyncio.create_task(self._cancel())

    async def _cancel(self) -> None:
        """Cancel statements until the current use ends."""
        assert self._transaction is not None
        while not self._use_ended.is_set():
            await cancel_statement(self._transaction.connection)
            with suppress(TimeoutError):
                async with asyncio.timeout(CANCEL_INTERVAL_SECONDS):
                    await self._use_ended.wait()

    async def close(self) -> None:
        """Roll the transaction back and return the connection to the pool.

        A statement may still be running if the client has disconnected, or if a field failed while
        batches of its siblings continue: it is cancelled. From now on `use()` raises
        SessionClosedError.
        """
        closed, has_failed = SessionClosedError(), self._failure is not None
        self.stop(closed)
        self._failure = closed
        has_to_wait = self._users or self._lock.locked() or self._cancelling is not None
        if self._closing is None and has_to_wait:
            self._closing = asyncio.create_task(self._close())
        if self._closing is None:
            await self._close(is_idle=not has_failed)
        else:
            await _wait_for(self._closing)

    async def _close(self, *, is_idle: bool = False) -> None:
        async with self._lock:
            if self._cancelling is not None:
                # A pending cancel request must not hit the ROLLBACK or the next request.
                await self._cancelling
            self._session = None
            await self._release(is_idle=is_idle)

    async def _release(self, *, is_idle: bool = False) -> None:
        """Release what has been acquired so far. Again, it does nothing."""
        transaction, self._transaction = self._transaction, None
        try:
            if transaction is not None:
                await transaction.close(is_idle=is_idle)
        finally:
            if self._lease is not None:
                self._lease.release()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


def _is_timeout(failure: Exception) -> bool:
    return isinstance(failure, StatementTimeoutError)


async def _wait_for(task: asyncio.Task[None]) -> None:
    """Wait for the task to end, even if the caller is cancelled meanwhile."""
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

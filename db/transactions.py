"""Transactions that are begun and ended on the driver's connection, without SQLAlchemy's detours.

A SQLAlchemy session on such a connection runs its statements within the transaction.
"""

from time import monotonic
from typing import Any, Self
from uuid import UUID

import asyncpg
from sqlalchemy import Connection
from sqlalchemy.exc import MissingGreenlet
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlalchemy.util import greenlet_spawn

from db.database_errors import begin_error, is_connection_lost
from db.effort import Effort
from db.engine import CITUS, PIPELINE, SCOPE_OPTION, Begun, Scope, check_committed
from db.pipeline import Pipeline
from db.pool import FairPool, notifier_of
from db.statements import TRANSACTION

# A connection that was used within this time is taken for alive. The loss of one is noticed at once
# unless its packets get lost, too.
TRUSTED_SECONDS = 5.0


class Transaction(Begun):
    """A transaction on a connection of the pool. `close` it in any case."""

    __slots__ = (
        *("_driver", "_effort", "_news", "_notifier", "_pipeline"),
        *("connection", "sync_connection"),
    )

    def __init__(
        self, connection: AsyncConnection, scope: Scope, *, renewable: bool = True
    ) -> None:
        super().__init__(scope, renewable=renewable)
        sync = connection.sync_connection
        assert sync is not None
        sync.execution_options(**{SCOPE_OPTION: self})
        self.connection, self.sync_connection = connection, sync
        self._driver: Any = sync.connection.driver_connection
        self._pipeline: Pipeline = sync.info[PIPELINE]
        self._effort = Effort.STEADY
        self._notifier = notifier_of(connection.engine)
        self._news: set[UUID] = set()

    @property
    def is_citus(self) -> bool:
        """Whether the connection's database has the extension Citus."""
        return bool(self.sync_connection.info[CITUS])

    @classmethod
    async def begin(
        cls, engine: AsyncEngine, scope: Scope, *, renewable: bool = True, at_once: bool = False
    ) -> Self:
        """Take a connection from the pool and begin a transaction on it.

        `renewable`: whether SQLAlchemy may begin another one after it. `at_once`: BEGIN is waited
        for, so that its errors are raised here.

        Else it is sent with the first statement, unless the connection has not been used for a
        while.
        Pooled connections are not tested. Such a one may have been lost since, so its BEGIN is
        tried twice. Raises DATABASE_ERRORS.
        """
        for is_last in (False, True):
            transaction = cls(await _take(engine), scope, renewable=renewable)
            try:
                await transaction._pipeline.wait()
                if transaction._is_trusted and not at_once:
                    transaction.is_pending = True
                    transaction.ahead = scope.begin_statements()
                    return transaction
                await transaction._driver.execute(scope.begin_sql(on_citus=transaction.is_citus))
            except BaseException as error:
                # Also if the server responded: BEGIN itself may have succeeded.
                is_lost = isinstance(error, Exception) and is_connection_lost(error)
                await transaction._drop(error, with_others=is_lost)
                if is_last or not is_lost:
                    if (refused := begin_error(error)) is not None:
                        raise refused from error
                    raise
            else:
                return transaction
        raise AssertionError

    @property
    def _is_trusted(self) -> bool:
        """Whether the connection seems to be alive, and takes statements that are sent ahead."""
        # Whether Citus does has not been tried.
        if self.is_citus or self._driver.is_closed():
            return False
        return monotonic() - self._pipeline.used_at < TRUSTED_SECONDS

    async def prepare_for(self, effort: Effort) -> None:
        """Set the timeout and the kind of plans for the next statements."""
        if effort is self._effort:
            return
        self._effort = effort
        statements = self.scope.effort_statements(effort)
        if self._may_send_ahead:
            self.ahead += statements
        else:
            await self._driver.execute(";".join(statements))

    @property
    def _may_send_ahead(self) -> bool:
        # Once SQLAlchemy takes part, it may run the next statement.
        return not (self.is_citus or self.sync_connection.in_transaction())

    def send_ahead(self) -> bool:
        """Send what is to run before the next statement, which must be sent now.

        Returns whether there was anything. Call `has_begun` if the statement shows that, and
        `end_ahead` if it was not sent. Raises TransactionAbortedError.
        """
        self.check_certain()
        # A closed connection cannot tell what it was sent; the driver refuses the statement.
        if not self.ahead or self._driver.is_closed():
            return False
        self._pipeline.send_ahead(self.take_ahead())
        return True

    async def run_ahead(self) -> None:
        """Run what is to run before the next statement.

        Raises DATABASE_ERRORS, ReadOnlyDatabaseError and TransactionAbortedError.
        """
        if ahead := self.take_ahead():
            try:
                await self._driver.execute(";".join(ahead))
            except asyncpg.PostgresError as error:
                if (refused := begin_error(error)) is not None:
                    raise refused from error
                raise
            self.has_begun()

    async def end_ahead(self) -> None:
        """End what was sent ahead without a statement after it."""
        self._pipeline.end_ahead()
        await self._pipeline.wait()

    @property
    def has_notifier(self) -> bool:
        """Whether the engine sends notifications after commits."""
        return self._notifier is not None

    def notify_after_commit(self, org_id: UUID) -> None:
        """Send a notification after the commit, if there is one."""
        self._news.add(org_id)

    async def commit(self) -> None:
        """Commit the transaction, unless it has ended.

        Raises DATABASE_ERRORS and TransactionAbortedError.
        """
        if not self.end():
            return
        if self.is_pending:
            self.ahead, self.is_pending = [], False
            self.tell()
            return
        self.check_certain()
        try:
            status: str = await self._driver.execute("COMMIT")
        except BaseException as error:
            # After the server's answer the transaction is over, and the connection can be used.
            if not isinstance(error, asyncpg.PostgresError) or is_connection_lost(error):
                # It may have been committed.
                self.tell()
                await self._drop(error)
            raise
        check_committed(status)
        self.tell()

    def tell(self) -> None:
        """Send the notifications that were left until after the commit."""
        news, self._news = self._news, set()
        for org_id in news:
            assert self._notifier is not None
            self._notifier.add(org_id)

    async def close(self, *, is_idle: bool = False) -> None:
        """Roll the transaction back, unless it has ended, and release the connection.

        `is_idle`: all its statements have been answered. Then the rollback is not waited for.
        """
        if self.end() and not (self.is_pending or self.sync_connection.invalidated):
            try:
                if is_idle and not self._driver.is_closed():
                    self._pipeline.send("ROLLBACK")
                else:
                    await self._driver.execute("ROLLBACK")
            except BaseException as error:
                await self._drop(error)
                # If the connection was lost, the server has rolled back.
                if not isinstance(error, Exception):
                    raise
        if not self.is_pending:
            self._pipeline.used_at = monotonic()
        await _release(self.connection)

    async def _drop(self, error: BaseException, *, with_others: bool = False) -> None:
        """Close the connection, whose state is unknown, instead of returning it to the pool.

        `with_others`: connections that are as old are closed when they are next taken.
        """
        self.end()
        await greenlet_spawn(_drop, self.sync_connection, error, with_others)


def session_of(transaction: Transaction, **info: Any) -> AsyncSession:
    """Return a session that runs its statements in the transaction, and cannot release it."""
    return AsyncSession(
        transaction.connection,
        autoflush=False,
        expire_on_commit=False,
        info={TRANSACTION: transaction, **info},
    )


# A connection that only changes hands needs no greenlet, in which SQLAlchemy could wait for the
# driver. Switching to one takes three times as long as all the rest.


async def _take(engine: AsyncEngine) -> AsyncConnection:
    """Take a connection from the pool."""
    pool = engine.pool
    assert isinstance(pool, FairPool)
    if pool.checkedin():
        try:
            return AsyncConnection(engine, engine.sync_engine.connect())
        except MissingGreenlet:
            # It was too old, or lost, and is back in the pool, to be opened again.
            pass
    return await engine.connect()


async def _release(connection: AsyncConnection) -> None:
    """Return a connection to the pool."""
    sync = connection.sync_connection
    assert sync is not None
    pool = sync.engine.pool
    assert isinstance(pool, FairPool)
    is_kept = pool.checkedin() < pool.size()
    if is_kept and not (sync.closed or sync.invalidated or sync.in_transaction()):
        sync.close()
    else:
        await connection.close()


def _drop(connection: Connection, error: BaseException, with_others: bool) -> None:
    pool = connection.engine.pool
    assert isinstance(pool, FairPool)
    if with_others:
        pool.discard_older(connection.connection)
    connection.invalidate(error)
    connection.close()

"""Runs the statements of db.templates by the driver, on the connection of a session.

Within the session's transaction and with its errors, as if SQLAlchemy had run them: its events of
cursors, its log and its pool notice them too.
"""

from collections.abc import AsyncGenerator
from time import perf_counter
from types import SimpleNamespace
from typing import Any, NoReturn

from asyncpg import InterfaceError, PostgresError
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.util import greenlet_spawn

from db.cache_figures import CacheFigures
from db.connections import open_cursor
from db.database_errors import begin_error
from db.engine import CITUS
from db.pool import StatementEnded
from db.templates import Build, Templates

# In the `info` of a session: its db.transactions.Transaction.
TRANSACTION = "joblens_transaction"

_templates = Templates()


class Statement:
    """One execution of a statement. `names`: of the columns of its rows.

    `wraps_errors`: whether errors of the driver are raised as SQLAlchemy's.
    """

    __slots__ = (
        "_began",
        "_connection",
        "_context",
        "_driver",
        "_ended",
        "_parameters",
        "_sql",
        "_transaction",
        "_wraps_errors",
        "names",
    )

    def __init__(
        self,
        connection: Connection,
        transaction: Any,
        build: Build,
        arguments: Any,
        *,
        wraps_errors: bool,
    ) -> None:
        template, values = _templates.get(connection.dialect, build, arguments)
        self.names = template.names
        self._connection = connection
        self._driver: Any = connection.connection.driver_connection
        self._sql = template.sql
        self._parameters: Any = template.parameters(values)
        self._context: Any = None
        # None: its end is not reported. An engine of someone else's may have another pool.
        self._ended: StatementEnded | None = getattr(connection.engine.pool, "on_statement", None)
        self._transaction = transaction
        self._wraps_errors = wraps_errors

    async def rows(self) -> list[Any]:
        """Run the statement, and return its rows as tuples."""
        self._before()
        transaction = self._transaction
        ahead = transaction is not None and transaction.send_ahead()
        try:
            rows: list[Any] = await self._driver.fetch(self._sql, *self._parameters)
        except BaseException as error:  # noqa: BLE001 - SQLAlchemy decides what it means
            if ahead:
                await self._after_ahead(error)
            await self._raise(error)
        if ahead:
            transaction.has_begun()
        self._after()
        return rows

    async def chunks(self, first: int, most: int) -> AsyncGenerator[list[Any], None]:
        """Run the statement, and yield its rows in chunks, each twice as large up to `most`."""
        self._before()
        size = first
        try:
            if self._transaction is not None:
                # The driver opens no cursor before it knows that a transaction has begun.
                await self._transaction.run_ahead()
            cursor = await open_cursor(self._driver, self._sql, *self._parameters)
            while chunk := await cursor.fetch(size):
                yield chunk
                if len(chunk) < size:
                    break
                size = min(2 * size, most)
        except GeneratorExit:
            # The rest of the rows is not wanted.
            self._report(None)
            raise
        except BaseException as error:  # noqa: BLE001 - as above
            await self._raise(error)
        self._after()

    def _before(self) -> None:
        connection = self._connection
        if connection._has_events or connection.engine._has_events:  # noqa: SLF001 - SQLAlchemy's own test
            self._context = SimpleNamespace(
                connection=connection, statement=self._sql, executemany=False, compiled=None
            )
            for call in connection.dispatch.before_cursor_execute:
                self._sql, self._parameters = call(
                    connection, None, self._sql, self._parameters, self._context, False
                )
        if connection._echo:  # noqa: SLF001 - as above
            connection._log_info(self._sql)  # noqa: SLF001
        if self._ended is not None:
            self._began = perf_counter()

    def _report(self, error: BaseException | None) -> None:
        if self._ended is not None:
            self._ended(self._connection, self._sql, self._began, error)

    def _after(self) -> None:
        if self._ended is not None:
            self._ended(self._connection, self._sql, self._began, None)
        if self._context is not None:
            self._connection.dispatch.after_cursor_execute(
                self._connection, None, self._sql, self._parameters, self._context, False
            )

    async def _after_ahead(self, error: BaseException) -> None:
        """Find out about BEGIN, which was sent with the statement that has failed."""
        if self._driver.is_closed():
            return
        if _is_of_driver(error):
            await self._transaction.end_ahead()
        elif not isinstance(error, PostgresError):
            # It was interrupted: nothing is known.
            return
        elif self._driver.is_in_transaction():
            self._transaction.has_begun()
        elif (refused := begin_error(error)) is not None:
            self._report(error)
            raise refused from error

    async def _raise(self, error: BaseException) -> NoReturn:
        self._report(error)
        if self._wraps_errors and isinstance(error, Exception):
            await greenlet_spawn(self._handle, error)
        raise error

    def _handle(self, error: Exception) -> None:
        if not self._connection.in_transaction():
            # Else SQLAlchemy would end the transaction, which it has not begun.
            self._connection.begin()
        adapter: Any = self._connection.connection.dbapi_connection
        try:
            adapter._handle_exception(error)  # noqa: SLF001 - maps the driver's error
        except Exception as mapped:  # noqa: BLE001 - always raised
            handle = self._connection._handle_dbapi_exception  # noqa: SLF001 - raises SQLAlchemy's
            handle(mapped, self._sql, None, None, None)


def _is_of_driver(error: BaseException) -> bool:
    """Return whether the driver refused a statement, of which it has sent nothing."""
    if isinstance(error, PostgresError):
        # It raises some of the server's errors itself, without the server's fields.
        return error.severity is None
    return isinstance(error, InterfaceError)


def template_figures() -> CacheFigures:
    """Return the figures of the statements that are kept compiled."""
    return _templates.figures


async def prepare(session: AsyncSession, build: Build, *arguments: Any) -> Statement:
    """Make the statement that `build` builds from these arguments, to be run by the session."""
    connection = await _connection_of(session)
    transaction = session.info.get(TRANSACTION)
    # Requests translate the driver's errors themselves.
    wraps_errors = transaction is None or not transaction.renewable
    return Statement(connection, transaction, build, arguments, wraps_errors=wraps_errors)


async def is_citus(session: AsyncSession) -> bool:
    """Return whether the session's database has the extension Citus."""
    connection = await _connection_of(session)
    return bool(connection.info[CITUS])


async def _connection_of(session: AsyncSession) -> Connection:
    transaction = session.info.get(TRANSACTION)
    # SQLAlchemy creates a savepoint when the connection is first asked for.
    if transaction is not None and transaction.is_open and not session.in_nested_transaction():
        transaction.check_certain()
        open_one: Connection = transaction.sync_connection
        return open_one
    connection = (await session.connection()).sync_connection
    assert connection is not None
    return connection

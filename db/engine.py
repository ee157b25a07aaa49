"""The process's one engine: its pool, and how a transaction begins and ends on the wire."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from db.fair_queue import FairQueue
from db.json_values import dumps
from db.times import set_codec

APP_ROLE = "joblens_app"
SCOPE_OPTION = "joblens_scope"


class TransactionAbortedError(Exception):
    """A statement had failed, and PostgreSQL answered COMMIT by undoing the whole transaction."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How the pool behaves. Times in seconds."""

    pool_size: int = 10
    pool_overflow: int = 10
    pool_timeout_seconds: float = 5.0
    pool_recycle_seconds: int = 1800
    connect_timeout_seconds: float = 5.0
    command_timeout_seconds: float = 60.0
    application_name: str = "joblens"


@dataclass(frozen=True, slots=True)
class Scope:
    """What one transaction may see and do, and how long each of its statements may take."""

    org_id: UUID
    statement_timeout_seconds: float
    read_only: bool = True

    def begin_sql(self) -> str:
        """Write the statements that open the transaction, sent together in one round trip.

        Literal SET LOCAL: unlike set_config() it also reaches the shards of a Citus cluster.
        """
        isolation = "REPEATABLE READ READ ONLY" if self.read_only else "READ COMMITTED READ WRITE"
        return (
            f"BEGIN ISOLATION LEVEL {isolation};"
            f"SET LOCAL ROLE {APP_ROLE};"
            f"SET LOCAL joblens.org_id = '{self.org_id}';"
            f"SET LOCAL statement_timeout = {max(1, round(self.statement_timeout_seconds * 1000))}"
        )


class FairPool(AsyncAdaptedQueuePool):
    """SQLAlchemy's pool. Request sessions wait for a connection in `turns`, never in the pool."""

    # It logs where SQLAlchemy's own pools do.
    _sqla_logger_namespace = "sqlalchemy.pool.FairPool"

    def __init__(
        self, creator: Any, pool_size: int = 5, max_overflow: int = 10, **kwargs: Any
    ) -> None:
        super().__init__(creator, pool_size=pool_size, max_overflow=max_overflow, **kwargs)
        self.turns = FairQueue(pool_size + max_overflow)


def create_engine(
    url: str,
    options: EngineOptions | None = None,
    *,
    json_deserializer: Callable[[str], Any] = orjson.Fragment,
) -> AsyncEngine:
    """Make an engine for the libpq URI `url`; it connects when first used.

    Its transactions must name their `Scope`: without one they do not begin.
    JSON columns come as `orjson.Fragment`, PostgreSQL's own text ready to be written out again,
    unless `json_deserializer` makes something else of it.
    """
    chosen = options or EngineOptions()

    async def connect() -> Any:
        connection = await asyncpg.connect(
            url,
            timeout=chosen.connect_timeout_seconds,
            # For a server that has gone silent: one that answers ends a statement by itself.
            command_timeout=chosen.command_timeout_seconds,
            server_settings={"application_name": chosen.application_name},
        )
        await set_codec(connection)
        return connection

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        # The driver begins nothing by itself: `_begin` below does, with the scope.
        isolation_level="AUTOCOMMIT",
        poolclass=FairPool,
        pool_size=chosen.pool_size,
        max_overflow=chosen.pool_overflow,
        pool_timeout=chosen.pool_timeout_seconds,
        pool_recycle=chosen.pool_recycle_seconds,
        pool_pre_ping=True,
        # Values are the users' own: errors, and so the log, name the statement alone.
        hide_parameters=True,
        json_deserializer=json_deserializer,
        json_serializer=lambda value: dumps(value).decode(),
    )
    event.listen(engine.sync_engine, "begin", _begin)
    event.listen(engine.sync_engine, "commit", _commit)
    event.listen(engine.sync_engine, "rollback", _rollback)
    return engine


async def cancel_statement(connection: AsyncConnection) -> None:
    """Ask PostgreSQL to cancel what this connection runs; when done, the request has arrived.

    Whoever runs the statement gets its error, and the connection stays usable: cancelling the task
    instead would cost the connection. Where the server can't be reached, the connection is ended.
    """
    sync = connection.sync_connection
    if sync is None or sync.closed or sync.invalidated:
        return
    driver: Any = sync.connection.driver_connection
    # The driver does this when a task of its own is cancelled; it has no public name for it.
    await driver._cancel(asyncio.get_running_loop().create_future())  # noqa: SLF001


def _run(connection: Connection, sql: str) -> str:
    # The simple protocol: several statements travel as one message.
    status: str = connection.connection.dbapi_connection.run_async(  # type: ignore[union-attr]
        lambda driver: driver.execute(sql)
    )
    return status


# A connection whose state is not known must not go back to the pool. Where the answer to one of
# these did not come, also because the task was cancelled, the connection is ended.


def _begin(connection: Connection) -> None:
    scope: Scope = connection.get_execution_options()[SCOPE_OPTION]
    try:
        _run(connection, scope.begin_sql())
    except BaseException:
        # Also where the server answered: BEGIN itself may have been done.
        connection.invalidate()
        raise


def _commit(connection: Connection) -> None:
    try:
        status = _run(connection, "COMMIT")
    except asyncpg.PostgresError:
        raise
    except BaseException:
        connection.invalidate()
        raise
    # A transaction in which a statement failed is undone, and that is no error to PostgreSQL.
    if status == "ROLLBACK":
        raise TransactionAbortedError("A statement had failed: nothing was committed.")


def _rollback(connection: Connection) -> None:
    if connection.invalidated:
        return
    try:
        _run(connection, "ROLLBACK")
    except BaseException as error:
        connection.invalidate()
        # Where the connection died, what it had begun died with it.
        if not isinstance(error, Exception):
            raise

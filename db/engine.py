"""The engine: its connection pool, and how its transactions begin and end."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import Connection, event
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from db.codecs import set_codecs
from db.connections import Pooler, configured_pooler, connect, sqlalchemy_arguments
from db.database_errors import begin_error
from db.effort import Effort
from db.json_values import dumps
from db.notifier import Notifier
from db.pipeline import Pipeline
from db.pool import FairPool, Opening, notify_after_commits

APP_ROLE = "joblens_app"
SCOPE_OPTION = "joblens_scope"
# In the `info` of a connection: whether its database has the extension Citus.
CITUS = "joblens_citus"
# Its db.pipeline.Pipeline.
PIPELINE = "joblens_pipeline"
# pg_catalog comes first in any search path, so the name needs no schema.
HAS_CITUS = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')"
# Compiling statements takes longer than running them: the planner expects far too many rows.
_NO_JIT = "SET LOCAL jit = off"
# The rows of shards are hidden from an organisation that the workers do not know.
_PROPAGATE = "SET LOCAL citus.propagate_set_commands = 'local'"


class TransactionAbortedError(Exception):
    """A statement had failed, so PostgreSQL rolled the transaction back at COMMIT."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Options of the pool and its connections.

    `pooler`: what is between the engine and PostgreSQL; unless given, that of the environment.
    `notify_seconds`: how long notifications are gathered after a commit; None: each is part of its
    transaction.
    """

    pool_size: int = 10
    pool_overflow: int = 10
    pool_timeout_seconds: float = 5.0
    pool_recycle_seconds: int = 1800
    connect_timeout_seconds: float = 5.0
    command_timeout_seconds: float = 60.0
    application_name: str = "joblens"
    pooler: Pooler = field(default_factory=configured_pooler)
    notify_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """The organisation, access mode and statement timeouts of a transaction.

    `one_snapshot`: whether all statements of a transaction that writes see the same snapshot, as
    those of a read-only one do. `scan_timeout_seconds`: the timeout of statements whose filter no
    index answers; None: the same.
    """

    org_id: UUID
    statement_timeout_seconds: float
    read_only: bool = True
    one_snapshot: bool = False
    scan_timeout_seconds: float | None = None

    def begin_sql(self, *, on_citus: bool = False) -> str:
        """Return the statements that begin the transaction, for one round trip."""
        return ";".join(self.begin_statements(on_citus=on_citus))

    def begin_statements(self, *, on_citus: bool = False) -> list[str]:
        """Return the statements that begin the transaction.

        SET LOCAL with literals: unlike set_config(), it also applies to the shards of Citus. Only
        what follows `propagate_set_commands` does, and each such setting sends all before it again:
        the organisation alone is one. The role is that by which Citus logs in on the workers.
        """
        level = "REPEATABLE READ" if self.read_only or self.one_snapshot else "READ COMMITTED"
        access = "READ ONLY" if self.read_only else "READ WRITE"
        return [
            f"BEGIN ISOLATION LEVEL {level} {access}",
            f"SET LOCAL ROLE {APP_ROLE}",
            _timeout_sql(self.statement_timeout_seconds),
            _NO_JIT,
            *([_PROPAGATE] if on_citus else ()),
            f"SET LOCAL joblens.org_id = '{self.org_id}'",
        ]

    def effort_statements(self, effort: Effort) -> list[str]:
        """Return the statements that prepare the transaction for a statement of this effort."""
        seconds = self.statement_timeout_seconds
        if effort is Effort.SCANNING and self.scan_timeout_seconds is not None:
            seconds = min(seconds, self.scan_timeout_seconds)
        mode = "auto" if effort is Effort.STEADY else "force_custom_plan"
        return [_timeout_sql(seconds), f"SET LOCAL plan_cache_mode = {mode}"]


def _timeout_sql(seconds: float) -> str:
    return f"SET LOCAL statement_timeout = {max(1, round(seconds * 1000))}"


class Begun:
    """The scope of a connection whose transaction has already begun; see db.transactions.

    `renewable`: whether another transaction of the scope may begin after it. `ahead`: statements
    that are still to run, before the next one. `is_pending`: whether BEGIN is one of them.
    `is_uncertain`: whether BEGIN was sent with them, and is not known to have succeeded.
    """

    __slots__ = ("ahead", "is_open", "is_pending", "is_uncertain", "renewable", "scope")

    def __init__(self, scope: Scope, *, renewable: bool = True) -> None:
        self.scope = scope
        self.renewable = renewable
        self.is_open = True
        self.is_pending = self.is_uncertain = False
        self.ahead: list[str] = []

    def take_ahead(self) -> list[str]:
        """Return the statements of `ahead`, which the caller runs.

        If BEGIN is one of them, the caller calls `has_begun` once it has succeeded. Until then
        nothing else may run: it would do so outside of the transaction, without role and
        organisation. Raises TransactionAbortedError if it failed before.
        """
        self.check_certain()
        ahead, self.ahead = self.ahead, []
        self.is_uncertain, self.is_pending = self.is_pending, False
        return ahead

    def has_begun(self) -> None:
        """Note that BEGIN has succeeded."""
        self.is_uncertain = False

    def check_certain(self) -> None:
        """Raise TransactionAbortedError if BEGIN is not known to have succeeded."""
        if self.is_uncertain:
            raise TransactionAbortedError("The transaction of this session did not begin.")

    def end(self) -> bool:
        """Mark the transaction as ended; return whether it had been open."""
        was_open, self.is_open = self.is_open, False
        return was_open

    def tell(self) -> None:
        """Send the notifications that were left until after the commit."""


def create_engine(
    url: str,
    options: EngineOptions | None = None,
    *,
    json_deserializer: Callable[[str], Any] = str,
) -> AsyncEngine:
    """Create an engine for the libpq URI `url`; it connects when first used.

    Transactions need a `Scope` in the execution option SCOPE_OPTION; without it they fail to begin.
    JSON columns are read as PostgreSQL's text, unless `json_deserializer` parses it.
    """
    chosen = options or EngineOptions()

    async def open_one() -> Any:
        return await connect(
            url,
            chosen.application_name,
            pooler=chosen.pooler,
            timeout_seconds=chosen.connect_timeout_seconds,
            command_timeout_seconds=chosen.command_timeout_seconds,
        )

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: Opening(open_one),
        connect_args=sqlalchemy_arguments(chosen.pooler),
        # Keeps the driver from beginning transactions: `_begin` does, with the scope.
        isolation_level="AUTOCOMMIT",
        poolclass=FairPool,
        pool_size=chosen.pool_size,
        max_overflow=chosen.pool_overflow,
        pool_timeout=chosen.pool_timeout_seconds,
        pool_recycle=chosen.pool_recycle_seconds,
        # Parameters are user data, which must not appear in errors or logs.
        hide_parameters=True,
        json_deserializer=json_deserializer,
        json_serializer=lambda value: dumps(value).decode(),
    )
    # After SQLAlchemy's own listener, whose codecs these replace.
    event.listen(engine.sync_engine, "connect", partial(_set_up, json_deserializer))
    if chosen.notify_seconds is not None:
        notify_after_commits(
            engine,
            Notifier(
                url,
                interval_seconds=chosen.notify_seconds,
                timeout_seconds=chosen.connect_timeout_seconds,
            ),
        )
    event.listen(engine.sync_engine, "begin", _begin)
    event.listen(engine.sync_engine, "commit", _commit)
    event.listen(engine.sync_engine, "rollback", _rollback)
    return engine


async def cancel_statement(connection: AsyncConnection) -> None:
    """Send PostgreSQL a cancel request for this connection's statement; wait until it is received.

    The statement then raises its error and the connection stays usable, whereas cancelling the task
    would lose the connection. If the server is unreachable, the connection is closed.
    """
    sync = connection.sync_connection
    if sync is None or sync.closed or sync.invalidated:
        return
    driver: Any = sync.connection.driver_connection
    # The driver calls this when its task is cancelled; it has no public API for it.
    await driver._cancel(asyncio.get_running_loop().create_future())  # noqa: SLF001


def _set_up(decode_json: Callable[[str], Any], dbapi_connection: Any, record: Any) -> None:
    dbapi_connection.run_async(lambda driver: set_codecs(driver, decode_json))
    record.info[PIPELINE] = Pipeline.attach(dbapi_connection.driver_connection)
    record.info[CITUS] = dbapi_connection.run_async(lambda driver: driver.fetchval(HAS_CITUS))


def _run(connection: Connection, sql: str) -> str:
    # The simple protocol allows several statements in one message.
    status: str = connection.connection.dbapi_connection.run_async(  # type: ignore[union-attr]
        lambda driver: driver.execute(sql)
    )
    return status


# A connection in an unknown state must not return to the pool. If one of the statements below gets
# no response, for example because the task is cancelled, the connection is invalidated.


def _begin(connection: Connection) -> None:
    scope: Scope | Begun = connection.get_execution_options()[SCOPE_OPTION]
    if isinstance(scope, Begun):
        if scope.is_open:
            if not (ahead := scope.take_ahead()):
                return
            _run_begin(connection, ";".join(ahead))
        elif not scope.renewable:
            raise InvalidRequestError("The transaction of this session has ended.")
        else:
            scope.ahead, scope.is_pending = [], False
            _run_begin(connection, scope.scope.begin_sql(on_citus=connection.info[CITUS]))
            scope.is_open = True
        scope.has_begun()
    else:
        _run_begin(connection, scope.begin_sql(on_citus=connection.info[CITUS]))


def _run_begin(connection: Connection, sql: str) -> None:
    try:
        _run(connection, sql)
    except BaseException as error:
        # Also if the server responded: BEGIN itself may have succeeded.
        connection.invalidate()
        if (refused := begin_error(error)) is not None:
            raise refused from error
        raise


def _commit(connection: Connection) -> None:
    _end(connection)
    try:
        status = _run(connection, "COMMIT")
    except asyncpg.PostgresError:
        raise
    except BaseException:
        connection.invalidate()
        raise
    check_committed(status)
    scope = connection.get_execution_options().get(SCOPE_OPTION)
    if isinstance(scope, Begun):
        scope.tell()


def check_committed(status: str) -> None:
    """Check PostgreSQL's response to COMMIT. Raises TransactionAbortedError."""
    # PostgreSQL rolls back a failed transaction at COMMIT without reporting an error.
    if status == "ROLLBACK":
        raise TransactionAbortedError("A statement had failed; nothing was committed.")


def _end(connection: Connection) -> bool:
    """Mark the transaction as ended; return whether it had been open."""
    scope = connection.get_execution_options().get(SCOPE_OPTION)
    return scope.end() if isinstance(scope, Begun) else True


def _rollback(connection: Connection) -> None:
    if not _end(connection) or connection.invalidated:
        return
    try:
        _run(connection, "ROLLBACK")
    except BaseException as error:
        connection.invalidate()
        # If the connection was lost, the server has rolled back.
        if not isinstance(error, Exception):
            raise

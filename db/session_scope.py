"""Transactions of one organisation for Python programs. API requests use db.request_session."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from db.database_errors import (
    DATABASE_ERRORS,
    DatabaseUnavailableError,
    is_connection_lost,
    translate_commit,
)
from db.engine import EngineOptions, Scope, create_engine
from db.json_values import loads
from db.notifier import INTERVAL_SECONDS
from db.transactions import Transaction, session_of

DATABASE_URL = "JOBLENS_DATABASE_URL"
STATEMENT_TIMEOUT_SECONDS = 10.0

# Connections belong to the event loop that opened them.
_engines: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncEngine] = WeakKeyDictionary()
_engines_lock = threading.Lock()


class DatabaseNotConfiguredError(Exception):
    """JOBLENS_DATABASE_URL is not set and no engine was given."""


def create_worker_engine(url: str, options: EngineOptions | None = None) -> AsyncEngine:
    """Create an engine for `session_scope`; it decodes JSON columns to Python values.

    Unless its options say otherwise, notifications are sent after commits, by one more connection;
    its `dispose` sends what is pending.
    """
    chosen = options or EngineOptions(
        application_name="joblens-worker", notify_seconds=INTERVAL_SECONDS
    )
    return create_engine(url, chosen, json_deserializer=loads)


@asynccontextmanager
async def session_scope(
    org_id: UUID,
    *,
    engine: AsyncEngine | None = None,
    statement_timeout_seconds: float = STATEMENT_TIMEOUT_SECONDS,
) -> AsyncIterator[AsyncSession]:
    """Open a transaction of the organisation; commit on success, roll back on error.

    `session.begin_nested()` is a savepoint. A session runs one statement at a time. `engine`
    defaults to one per event loop, created from JOBLENS_DATABASE_URL and closed by `dispose()`.

    Raises DatabaseUnavailableError if the database is unreachable, CommitUncertainError if the
    connection is lost during COMMIT, and TransactionAbortedError if the block ignored a statement
    that failed outside of a savepoint. Statements raise SQLAlchemy's errors.
    """
    scope = Scope(org_id, statement_timeout_seconds, read_only=False)
    transaction = await _begin(engine or _current_engine(), scope)
    try:
        session = session_of(transaction, scope=scope)
        try:
            yield session
            await _commit(session, transaction)
        finally:
            # A session that has run only our own statements has nothing to close.
            if session.in_transaction():
                await session.close()
    finally:
        await transaction.close()


def org_id_of(session: AsyncSession) -> UUID:
    """Get the organisation of a session from `session_scope`. Raises TypeError for others."""
    scope = session.info.get("scope")
    if not isinstance(scope, Scope):
        raise TypeError("This session is not from session_scope(), so it has no organisation.")
    return scope.org_id


async def dispose() -> None:
    """Close the default engine of the running event loop; the next scope creates another one.

    Call it before the event loop ends, which would otherwise leave open connections behind.
    """
    with _engines_lock:
        engine = _engines.pop(asyncio.get_running_loop(), None)
    if engine is not None:
        await engine.dispose()


def _current_engine() -> AsyncEngine:
    loop = asyncio.get_running_loop()
    with _engines_lock:
        engine = _engines.get(loop)
        if engine is None:
            url = os.environ.get(DATABASE_URL)
            if not url:
                raise DatabaseNotConfiguredError(
                    f"{DATABASE_URL} is not set. Set it, for example to "
                    "postgresql://joblens@localhost/joblens, or pass an engine to session_scope()."
                )
            engine = _engines[loop] = create_worker_engine(url)
    return engine


async def _begin(engine: AsyncEngine, scope: Scope) -> Transaction:
    try:
        return await Transaction.begin(engine, scope, renewable=False, at_once=True)
    except DATABASE_ERRORS as error:
        if isinstance(error, PoolTimeoutError) or not is_connection_lost(error):
            raise
        raise DatabaseUnavailableError(str(error)) from error


async def _commit(session: AsyncSession, transaction: Transaction) -> None:
    try:
        if session.in_transaction():
            # SQLAlchemy's own statements are pending.
            await session.flush()
        await transaction.commit()
    except DATABASE_ERRORS as error:
        # Any other error is the server's answer to COMMIT: it has rolled everything back.
        if (uncertain := translate_commit(error)) is not None:
            raise uncertain from error
        raise

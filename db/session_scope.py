"""Transactions for Python programs: a session of one organisation, committed or undone as a whole.

Requests of the API have sessions of their own: db.request_session.
"""

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
from db.engine import SCOPE_OPTION, EngineOptions, Scope, create_engine
from db.json_values import loads

DATABASE_URL = "JOBLENS_DATABASE_URL"
STATEMENT_TIMEOUT_SECONDS = 10.0

# Connections belong to the event loop that opened them.
_engines: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncEngine] = WeakKeyDictionary()
_registering = threading.Lock()


class DatabaseNotConfiguredError(Exception):
    """Nobody has said which database to use."""


def create_worker_engine(url: str, options: EngineOptions | None = None) -> AsyncEngine:
    """Make an engine for `session_scope`: JSON columns come as plain values of Python."""
    chosen = options or EngineOptions(application_name="joblens-worker")
    return create_engine(url, chosen, json_deserializer=loads)


@asynccontextmanager
async def session_scope(
    org_id: UUID,
    *,
    engine: AsyncEngine | None = None,
    statement_timeout_seconds: float = STATEMENT_TIMEOUT_SECONDS,
) -> AsyncIterator[AsyncSession]:
    """Open a transaction of the organisation; commit it on success, undo it on error.

    `session.begin_nested()` is a savepoint, which undoes a part. A session runs one statement at
    a time. Without `engine` it is the event loop's own, made from JOBLENS_DATABASE_URL when first
    needed and closed by `dispose()`.

    Raises DatabaseUnavailableError if the database cannot be reached, CommitUncertainError if it is
    lost while committing, TransactionAbortedError if a statement had failed outside of a savepoint
    and the block went on all the same. Errors of statements come as SQLAlchemy has them.
    """
    scope = Scope(org_id, statement_timeout_seconds, read_only=False)
    scoped = (engine or _current_engine()).execution_options(**{SCOPE_OPTION: scope})
    async with (
        AsyncSession(
            scoped, autoflush=False, expire_on_commit=False, info={"scope": scope}
        ) as session,
        session.begin() as transaction,
    ):
        await _begin(session)
        yield session
        if transaction.is_active:
            await _commit(session)


def org_id_of(session: AsyncSession) -> UUID:
    """Get the organisation whose `session_scope` this is."""
    scope = session.info.get("scope")
    if not isinstance(scope, Scope):
        raise TypeError("This session does not come from session_scope(): it has no organisation.")
    return scope.org_id


async def dispose() -> None:
    """Close the running event loop's engine, if it has one; the next scope makes another.

    For the end of a program, or of an event loop: a loop that ends without it leaves its
    connections to the garbage collector.
    """
    with _registering:
        engine = _engines.pop(asyncio.get_running_loop(), None)
    if engine is not None:
        await engine.dispose()


def _current_engine() -> AsyncEngine:
    loop = asyncio.get_running_loop()
    with _registering:
        engine = _engines.get(loop)
        if engine is None:
            url = os.environ.get(DATABASE_URL)
            if not url:
                raise DatabaseNotConfiguredError(
                    f"{DATABASE_URL} is not set. Set it, such as to "
                    "postgresql://joblens@localhost/joblens, or give session_scope() an engine."
                )
            engine = _engines[loop] = create_worker_engine(url)
    return engine


async def _begin(session: AsyncSession) -> None:
    try:
        await session.connection()
    except DATABASE_ERRORS as error:
        if isinstance(error, PoolTimeoutError) or not is_connection_lost(error):
            raise
        raise DatabaseUnavailableError(str(error)) from error


async def _commit(session: AsyncSession) -> None:
    try:
        await session.commit()
    except DATABASE_ERRORS as error:
        # Any other error is the server's answer to COMMIT: it has rolled everything back.
        if (uncertain := translate_commit(error)) is not None:
            raise uncertain from error
        raise

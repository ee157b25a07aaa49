"""Errors of the driver, the pool and the network: their SQLSTATE classes and what they mean."""

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

QUERY_CANCELED = "57014"
UNIQUE_VIOLATION = "23505"
SERIALIZATION_FAILURE, DEADLOCK = "40001", "40P01"
# SQLSTATE prefixes under which the server serves no statement, or has rolled this transaction back
# in favor of another one (class 40, such as a deadlock).
UNAVAILABLE_CLASSES = ("08", "28", "3D", "40", "53", "57P")
# Those under which the server has not answered: the outcome of a COMMIT is unknown.
CONNECTION_LOST_CLASSES = ("08", "40003", "53300", "57P01", "57P02", "57P03")

# BEGIN, COMMIT and ROLLBACK bypass SQLAlchemy, so the driver's own errors are here too.
DATABASE_ERRORS = (
    DBAPIError,
    PoolTimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)


class StatementTimeoutError(Exception):
    """A statement exceeded the statement timeout of its transaction."""


class ScanTimeoutError(StatementTimeoutError):
    """A statement whose filter no index answers exceeded the timeout of such statements."""


class DatabaseUnavailableError(Exception):
    """The database is unreachable, has no free connection, or rolled the transaction back.

    The same transaction may succeed when it is retried.
    """


class ReadOnlyDatabaseError(DatabaseUnavailableError):
    """The server takes no writes: it is a standby, which may become the primary."""


class CommitUncertainError(Exception):
    """The connection was lost during COMMIT: the transaction may or may not be committed."""


def sqlstate(error: BaseException) -> str | None:
    """Get the SQLSTATE of an error; None if neither the server nor the driver set one."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    state: str | None = getattr(cause, "sqlstate", None)
    return state


def is_connection_lost(error: Exception) -> bool:
    """Return whether the connection was lost or never established, so the server did not answer."""
    state = sqlstate(error)
    return state is None or state.startswith(CONNECTION_LOST_CLASSES)


def translate(error: Exception) -> Exception | None:
    """Map one of DATABASE_ERRORS to StatementTimeoutError or DatabaseUnavailableError.

    None for any other error, which is a defect of the statement.
    """
    state = sqlstate(error) or ""
    if state == QUERY_CANCELED:
        return StatementTimeoutError()
    if _is_invalidated(error) or not state or state.startswith(UNAVAILABLE_CLASSES):
        return DatabaseUnavailableError()
    return None


def translate_commit(error: Exception) -> CommitUncertainError | None:
    """Map an error of COMMIT to CommitUncertainError if the server did not answer it."""
    return CommitUncertainError(str(error)) if is_connection_lost(error) else None


def begin_error(error: BaseException) -> ReadOnlyDatabaseError | None:
    """Return ReadOnlyDatabaseError for the error of a BEGIN with which a standby was to write.

    It has no SQLSTATE of its own, but nothing else in BEGIN can be a feature that is not supported.
    """
    is_refused = isinstance(error, asyncpg.FeatureNotSupportedError)
    # Of a statement that was sent with BEGIN.
    is_refused &= not isinstance(error, asyncpg.InvalidCachedStatementError)
    return ReadOnlyDatabaseError(str(error)) if is_refused else None


def is_retryable(error: BaseException, *, idempotent: bool) -> bool:
    """Return whether the transaction that raised the error may succeed when it runs again.

    After CommitUncertainError only an `idempotent` one may run again.
    """
    if isinstance(error, CommitUncertainError):
        return idempotent
    if isinstance(error, DatabaseUnavailableError):
        return True
    # COMMIT's errors come from the driver, those of statements through SQLAlchemy.
    if not isinstance(error, DBAPIError | asyncpg.PostgresError):
        return False
    return sqlstate(error) in {SERIALIZATION_FAILURE, DEADLOCK} or _is_invalidated(error)


def _is_invalidated(error: BaseException) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated

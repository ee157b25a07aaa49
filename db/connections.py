"""How every connection to the ledger's database is opened, behind a connection pooler too.

A pooler that gives a server connection to a client for one transaction at a time keeps nothing from
one transaction to the next: no prepared statement, setting, advisory lock or temporary table. So
nothing here or elsewhere relies on one, except LISTEN, which needs a direct connection.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any

import asyncpg

POOLER = "JOBLENS_DATABASE_POOLER"
# What poolers accept at the start of a connection, and keep for it. Any other setting is set within
# transactions: a pooler refuses or ignores it here.
_SETTINGS = {
    # The form in which db.codecs reads times.
    "timezone": "UTC",
    "datestyle": "ISO",
}


class Pooler(StrEnum):
    """What is between Joblens and PostgreSQL, by what a client keeps between its transactions."""

    NONE = "none"
    SESSION = "session"
    TRANSACTION = "transaction"


class UnnamedConnection(asyncpg.Connection):  # type: ignore[misc] # asyncpg has no types
    """A connection whose statements have no name: each is parsed where it is executed."""


def sqlalchemy_arguments(pooler: Pooler) -> dict[str, Any]:
    """Return the `connect_args` of an engine on connections from `connect`."""
    if pooler is not Pooler.TRANSACTION:
        return {}
    return {"prepared_statement_cache_size": 0, "prepared_statement_name_func": lambda: ""}


def configured_pooler() -> Pooler:
    """Get the pooler of JOBLENS_DATABASE_POOLER, for programs that have no settings object.

    Raises ValueError.
    """
    name = os.environ.get(POOLER) or Pooler.NONE
    try:
        return Pooler(name)
    except ValueError:
        raise ValueError(f"{POOLER} must be one of {', '.join(Pooler)}, not {name!r}.") from None


async def connect(
    url: str,
    application_name: str,
    *,
    pooler: Pooler = Pooler.TRANSACTION,
    timeout_seconds: float | None = None,
    command_timeout_seconds: float | None = None,
) -> Any:
    """Open a connection of the driver to the database at `url`, a libpq URI.

    `pooler`: what the connection may meet. Unless it is given, nothing is prepared by name, which
    works everywhere and costs each statement a round trip. `timeout_seconds`: of opening;
    `command_timeout_seconds`: of each statement, for an unresponsive server. Raises asyncpg's
    errors, ValueError and OSError.
    """
    options: dict[str, Any] = {}
    if timeout_seconds is not None:
        options["timeout"] = timeout_seconds
    if pooler is Pooler.TRANSACTION:
        options |= {"statement_cache_size": 0, "connection_class": UnnamedConnection}
    return await asyncpg.connect(
        url,
        command_timeout=command_timeout_seconds,
        server_settings={"application_name": application_name, **_SETTINGS},
        **options,
    )


async def open_cursor(connection: Any, sql: str, *parameters: Any) -> Any:
    """Open a cursor within the connection's transaction."""
    if not isinstance(connection, UnnamedConnection):
        return await connection.cursor(sql, *parameters)
    # The driver's own cursors prepare a named statement, and close it later: by then the pooler may
    # have given the client another server connection.
    statement = await connection.prepare(sql, name="")
    return await statement.cursor(*parameters)


@asynccontextmanager
async def owner_transaction(connection: Any, **options: Any) -> AsyncIterator[None]:
    """Run a transaction of the tables' owner, without a statement timeout.

    Statements of a login subject to row level security raise an error instead of missing rows.
    `options`: those of the driver's `transaction`.
    """
    async with connection.transaction(**options):
        await connection.execute("SET LOCAL statement_timeout = 0; SET LOCAL row_security = off")
        yield

"""The connection of imports and exports: as the owner, without a statement timeout."""

import asyncpg

from db.times import set_codec


async def connect(url: str, application_name: str) -> asyncpg.Connection:
    """Connect as the owner of the tables.

    Statements of a login subject to row level security raise an error instead of missing rows.
    """
    connection = await asyncpg.connect(
        url,
        server_settings={
            "application_name": application_name,
            "statement_timeout": "0",
            "row_security": "off",
        },
    )
    await set_codec(connection)
    return connection

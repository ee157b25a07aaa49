"""The connection of an import or an export: the owner's, without a limit on time."""

import asyncpg

from db.times import set_codec


async def connect(url: str, application_name: str) -> asyncpg.Connection:
    """Connect as a login that row level security does not bind.

    Any other gets an error from PostgreSQL for each statement, instead of rows left out in silence.
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

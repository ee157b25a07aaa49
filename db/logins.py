"""The login that Joblens was given, and the one that it needs."""

from typing import Any

import asyncpg

from db.engine import APP_ROLE

# Before the first migration there are no tables: then the database's owner makes them.
_OWNERS = """
SELECT current_user AS login, pg_get_userbyid(owner) AS owner, has_tables,
    pg_has_role(owner, 'USAGE') AS is_owner
FROM (
    SELECT coalesce(job.relowner, datdba) AS owner, job.relowner IS NOT NULL AS has_tables
    FROM pg_database LEFT JOIN pg_class AS job ON job.oid = to_regclass('job')
    WHERE datname = current_database()
)
"""


async def owner_wanted(url: str) -> str | None:
    """Say which login a command needs that was refused; None if `url` has that one already."""
    connection: Any = await asyncpg.connect(url)
    try:
        found = await connection.fetchrow(_OWNERS)
    finally:
        await connection.close()
    if found["is_owner"]:
        return None
    what = "the tables of Joblens" if found["has_tables"] else "the database"
    return (
        f"the login {found['login']} may not do this; give JOBLENS_DATABASE_URL the login that owns"
        f" {what}, which is {found['owner']}"
        f" (only joblens serve does with less: a login in the role {APP_ROLE})"
    )

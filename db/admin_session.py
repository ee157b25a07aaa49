"""Transactions of administrators, as the login that owns the tables and sees all organisations.

Requests and workers use db.request_session and db.session_scope instead.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from db.connections import Pooler, connect
from db.engine import APP_ROLE, SCOPE_OPTION, EngineOptions, create_engine

OPTIONS = EngineOptions(
    pool_size=1,
    pool_overflow=0,
    application_name="joblens admin",
    # One transaction: named statements would not be used again.
    pooler=Pooler.TRANSACTION,
)


# Before the first migration there are no tables: the owner of the database creates them.
_OWNERS = """
SELECT current_user AS login, pg_get_userbyid(owner) AS owner, has_tables,
    pg_has_role(owner, 'USAGE') AS is_owner
FROM (
    SELECT coalesce(job.relowner, datdba) AS owner, job.relowner IS NOT NULL AS has_tables
    FROM pg_database LEFT JOIN pg_class AS job ON job.oid = to_regclass('job')
    WHERE datname = current_database()
)
"""


class _AllOrganisations:
    """The scope of all organisations."""

    def begin_sql(self, *, on_citus: bool = False) -> str:  # noqa: ARG002 - as of Scope
        """Return the statements that begin the transaction.

        A login subject to row level security gets an error instead of missing rows.
        """
        return "BEGIN; SET LOCAL row_security = off"


@asynccontextmanager
async def admin_session(url: str) -> AsyncIterator[AsyncSession]:
    """Open a transaction over all organisations; commit on success, roll back on error.

    Raises asyncpg's errors, not SQLAlchemy's, and OSError if the database is unreachable.
    """
    engine = create_engine(url, OPTIONS)
    scoped = engine.execution_options(**{SCOPE_OPTION: _AllOrganisations()})
    try:
        async with AsyncSession(scoped) as session, session.begin():
            yield session
    except DBAPIError as error:
        cause = error.orig.__cause__ if error.orig is not None else None
        raise (cause or error) from None
    finally:
        await engine.dispose()


async def required_login(url: str) -> str | None:
    """Describe the login that a command needs after it lacked a privilege; None if `url` has it.

    Raises asyncpg's errors, and OSError if the database is unreachable.
    """
    connection = await connect(url, "joblens admin")
    try:
        row = await connection.fetchrow(_OWNERS)
    finally:
        await connection.close()
    if row["is_owner"]:
        return None
    owned = "the tables of Joblens" if row["has_tables"] else "the database"
    return (
        f"the login {row['login']} may not do this; set JOBLENS_DATABASE_URL to the login that owns"
        f" {owned}, which is {row['owner']}"
        f" (only joblens serve needs less: a login in the role {APP_ROLE})"
    )

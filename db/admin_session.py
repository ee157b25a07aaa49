"""Transactions of whoever runs Joblens: as the login itself, which owns the tables and sees all.

Requests and workers never get one; theirs are in db.request_session and db.session_scope.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from db.engine import SCOPE_OPTION, EngineOptions, create_engine

OPTIONS = EngineOptions(pool_size=1, pool_overflow=0, application_name="joblens admin")


class _EveryOrganisation:
    """The scope that has no bounds."""

    def begin_sql(self) -> str:
        """Write the statements that open the transaction.

        A login that row level security binds gets an error, not rows left out in silence.
        """
        return "BEGIN; SET LOCAL row_security = off"


@asynccontextmanager
async def administering(url: str) -> AsyncIterator[AsyncSession]:
    """Open a transaction over all organisations; commit it on success, undo it on error.

    Raises asyncpg's own errors, and OSError where the database cannot be reached.
    """
    engine = create_engine(url, OPTIONS)
    scoped = engine.execution_options(**{SCOPE_OPTION: _EveryOrganisation()})
    try:
        async with AsyncSession(scoped) as session, session.begin():
            yield session
    except DBAPIError as error:
        cause = error.orig.__cause__ if error.orig is not None else None
        raise (cause or error) from None
    finally:
        await engine.dispose()

"""Check whether the process can serve: whether its database is reachable and migrated."""

import asyncio
from contextlib import suppress

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from db import migrations
from db.database_errors import DatabaseUnavailableError, StatementTimeoutError
from db.engine import Scope
from db.queries.revisions import get_revision
from db.request_session import RequestSession
from server.settings import Settings

# How long a result is reused.
CACHE_SECONDS = 1.0

log = structlog.get_logger("joblens.health")


class Readiness:
    """Probes the database, with one probe at a time that all callers share."""

    def __init__(self, engine: AsyncEngine, settings: Settings) -> None:
        self._engine = engine
        self._scope = Scope(settings.org, settings.statement_timeout_seconds)
        self._timeout_seconds = settings.connect_timeout_seconds
        self._probe: asyncio.Task[str | None] | None = None
        # When the probe started or, if it has ended, when it ended.
        self._since = 0.0

    async def check(self) -> str | None:
        """Return why the process cannot serve, or None if it can.

        Waits for the database at most as long as opening a connection may take.
        """
        now = asyncio.get_running_loop().time()
        if self._probe is None or (self._probe.done() and now >= self._since + CACHE_SECONDS):
            self._since = now
            self._probe = asyncio.create_task(self._run_probe())
        timeout = max(0.0, self._since + self._timeout_seconds - now)
        await asyncio.wait({self._probe}, timeout=timeout)
        return self._probe.result() if self._probe.done() else "the database does not answer"

    async def stop(self) -> None:
        """Cancel a running probe."""
        if self._probe is not None:
            self._probe.cancel()
            with suppress(asyncio.CancelledError):
                await self._probe

    async def _run_probe(self) -> str | None:
        try:
            return await self._reason()
        except (DatabaseUnavailableError, StatementTimeoutError):
            return "the database cannot be reached"
        except Exception:
            log.exception("the readiness probe failed")
            return "the database refuses: run `joblens doctor`"
        finally:
            self._since = asyncio.get_running_loop().time()

    async def _reason(self) -> str | None:
        async with (
            RequestSession(self._engine, self._scope, "readiness") as session,
            session.use() as begun,
        ):
            revision = await get_revision(begun)
        if revision != migrations.head() and migrations.is_behind(revision):
            return "the database is behind: run `joblens migrate`"
        return None

"""Whether the process lives, and whether it can serve."""

import asyncio
from contextlib import suppress

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import JSONResponse

from db import migrations
from db.database_errors import DatabaseUnavailableError, StatementTimeoutError
from db.engine import Scope
from db.queries.revisions import get_revision
from db.request_session import RequestSession
from server.settings import Settings

# For so long what was found answers others who ask, too.
KEPT_SECONDS = 1.0

log = structlog.get_logger("joblens.health")


async def healthz(_request: Request) -> JSONResponse:
    """Say that the process answers; it says nothing of the database."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> JSONResponse:
    """Say whether the database can be reached and has been migrated; 503 while not."""
    readiness: Readiness = request.app.state.joblens.readiness
    reason = await readiness.ask()
    if reason is not None:
        return JSONResponse({"status": "unavailable", "reason": reason}, 503)
    return JSONResponse({"status": "ready"})


class Readiness:
    """Asks the database, by one probe at a time however many want to know."""

    def __init__(self, engine: AsyncEngine, settings: Settings) -> None:
        self._engine = engine
        self._scope = Scope(settings.org, settings.statement_timeout_seconds)
        self._patience_seconds = settings.connect_timeout_seconds
        self._probe: asyncio.Task[str | None] | None = None
        # When the probe began, or since it has ended, when that was.
        self._since = 0.0

    async def ask(self) -> str | None:
        """Say why the process cannot serve; None: it can.

        A database that is silent is waited for as long as a connection may take to open.
        """
        now = asyncio.get_running_loop().time()
        if self._probe is None or (self._probe.done() and now >= self._since + KEPT_SECONDS):
            self._since = now
            self._probe = asyncio.create_task(self._look())
        patience = max(0.0, self._since + self._patience_seconds - now)
        await asyncio.wait({self._probe}, timeout=patience)
        return self._probe.result() if self._probe.done() else "the database does not answer"

    async def stop(self) -> None:
        """Ask no more."""
        if self._probe is not None:
            self._probe.cancel()
            with suppress(asyncio.CancelledError):
                await self._probe

    async def _look(self) -> str | None:
        try:
            return await self._reason()
        except (DatabaseUnavailableError, StatementTimeoutError):
            return "the database cannot be reached"
        except Exception:
            log.exception("the database refuses")
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

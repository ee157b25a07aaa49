"""Whether the process lives, and whether it can serve."""

import structlog
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import JSONResponse

from db import migrations
from db.engine import Scope
from db.queries.revisions import get_revision
from db.sessions import DatabaseUnavailableError, RequestSession, StatementTimeoutError
from server.state import State

log = structlog.get_logger("joblens.health")


async def healthz(_request: Request) -> JSONResponse:
    """Say that the process answers; it says nothing of the database."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> JSONResponse:
    """Say whether the database can be reached and has been migrated; 503 while not."""
    state: State = request.app.state.joblens
    scope = Scope(state.settings.org, state.settings.statement_timeout_seconds)
    try:
        async with RequestSession(state.engine, scope) as session, session.use() as connection:
            revision = await get_revision(connection)
    except (DatabaseUnavailableError, StatementTimeoutError):
        return _unready("the database cannot be reached")
    except DBAPIError:
        log.exception("the database refuses")
        return _unready("the database refuses: run `joblens doctor`")
    if revision != migrations.head() and migrations.is_behind(revision):
        return _unready("the database is behind: run `joblens migrate`")
    return JSONResponse({"status": "ready"})


def _unready(reason: str) -> JSONResponse:
    return JSONResponse({"status": "unavailable", "reason": reason}, 503)

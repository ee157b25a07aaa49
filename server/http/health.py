"""The health endpoints /healthz (liveness) and /readyz (readiness)."""

from starlette.requests import Request
from starlette.responses import JSONResponse

from server.readiness import Readiness


async def healthz(_request: Request) -> JSONResponse:
    """Respond that the process is alive, whatever the state of the database."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> JSONResponse:
    """Respond whether the database is reachable and migrated; 503 if not."""
    readiness: Readiness = request.app.state.joblens.readiness
    reason = await readiness.check()
    if reason is not None:
        return JSONResponse({"status": "unavailable", "reason": reason}, 503)
    return JSONResponse({"status": "ready"})

"""The health endpoints /healthz (liveness) and /readyz (readiness)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from server.app_state import AppState


async def healthz(_request: Request) -> JSONResponse:
    """Respond that the process is alive, whatever the state of the database."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> JSONResponse:
    """Respond whether the database is reachable and migrated; 503 if not.

    Of a replica, it has the lag: what it lacks does not make the process unready.
    """
    state: AppState = request.app.state.joblens
    reason = await state.readiness.check()
    if reason is not None:
        return JSONResponse({"status": "unavailable", "reason": reason}, 503)
    body: dict[str, Any] = {"status": "ready"}
    if (replica := state.servers.replica) is not None:
        body["replica"] = {"is_used": replica.is_usable, "lag_seconds": replica.lag_seconds}
    return JSONResponse(body)

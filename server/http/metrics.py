"""Serves /metrics: on a port of its own, or with a token on the address of the API."""

import hmac
from collections.abc import Awaitable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from server.observability.observation import Observation
from server.settings import Settings

PATH = "/metrics"


class MetricsEndpoint:
    """Answers a request for metrics."""

    def __init__(self, settings: Settings, observation: Observation) -> None:
        token = settings.metrics_token
        self._expected = None if token is None else f"Bearer {token.get_secret_value()}".encode()
        self._observation = observation

    async def respond(self, request: Request) -> Response:
        """Respond with the metrics, or refuse a wrong token."""
        given = request.headers.get("authorization", "").encode()
        if self._expected is not None and not hmac.compare_digest(given, self._expected):
            return _refusal("a token is needed", 401, {"www-authenticate": "Bearer"})
        if request.method not in {"GET", "HEAD"}:
            return _refusal("metrics are read by GET", 405, {"allow": "GET, HEAD"})
        metrics = self._observation.metrics
        assert metrics is not None
        text, media_type = await metrics.text(request.headers.get("accept", ""))
        headers = {"content-type": media_type, "cache-control": "no-store"}
        return Response(text, headers=headers)


class MetricsPort:
    """Middleware that answers all that comes by the port of metrics, and passes on the rest."""

    def __init__(self, app: ASGIApp, port: int, endpoint: MetricsEndpoint) -> None:
        self._app, self._port, self._endpoint = app, port, endpoint

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Respond as an ASGI application. What is passed on waits for nothing of its own."""
        _, port = scope.get("server") or (None, None)
        is_own = port is not None and port == self._port
        return (self._respond if is_own else self._app)(scope, receive, send)

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["path"] != PATH:
            await _refusal(f"metrics are at {PATH}", 404, {})(scope, receive, send)
        else:
            request = Request(scope, receive)
            response = await self._endpoint.respond(request)
            await response(scope, receive, send)


def _refusal(reason: str, status: int, headers: dict[str, str]) -> Response:
    return PlainTextResponse(f"{reason}\n", status, headers)

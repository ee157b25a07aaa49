"""The ASGI application."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from db.background_task import BackgroundTask
from db.backoff import Backoff
from db.engine import EngineOptions, create_engine
from db.retention.pruner import Pace, Pruner
from db.tallies.tallier import Tallier
from mirror.supervisor import Mirrors
from resolvers.errors import ErrorCode, JoblensError
from resolvers.limits import RequestLimits
from resolvers.live.hub import Hub
from resolvers.live.options import LiveOptions
from server import built_dashboard
from server.app_state import AppState
from server.auth.factory import create_authenticator
from server.auth.revocation import OpenConnections
from server.document_rules import make_rules
from server.http import graphiql
from server.http.dashboard import Dashboard
from server.http.endpoint import graphql
from server.http.health import healthz, readyz
from server.http.metrics import PATH as METRICS
from server.http.metrics import MetricsEndpoint, MetricsPort
from server.http.origins import OriginPolicy
from server.http.request_log import RequestLog
from server.http.responses import write_error
from server.limits.admission import AdmissionControl
from server.logging.audit import AUDIT, AuditLog
from server.logging.setup import configure
from server.observability.caches import Caches
from server.observability.observation import Observation
from server.read_servers import ReadServers
from server.readiness import Readiness
from server.settings import Settings
from server.uvicorn.shutdown import ENDING
from server.websocket import WebSocketEndpoint


def create_app(
    settings: Settings | None = None, dashboard: Path = built_dashboard.FOLDER
) -> Starlette:
    """Make the application. Reads the settings from the environment unless they are given.

    `JOBLENS_DATABASE_URL` must be set: only the commands start the embedded database.
    `dashboard`: the folder of the built page.
    """
    chosen = settings or Settings.read()
    rules = make_rules(chosen, dashboard)
    engine = _engine(chosen)
    servers = ReadServers(chosen, engine, _engine_options(chosen))
    hub = _hub(chosen, engine)
    authenticator = create_authenticator(chosen, engine)
    admission, tasks = AdmissionControl(chosen), _tasks(chosen)
    observation = Observation(chosen, servers, hub, Caches(rules, authenticator), admission, tasks)
    metrics = MetricsEndpoint(chosen, observation)
    state = AppState(
        chosen,
        engine,
        hub,
        rules,
        admission,
        authenticator,
        OpenConnections(authenticator),
        chosen.redaction(),
        _request_limits(chosen),
        AuditLog(chosen),
        Readiness(engine, chosen),
        tasks,
        observation,
        servers,
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, Any]]:
        configure(chosen.log_format, chosen.log_level)
        # All that is loaded stays: exclude it from garbage collection.
        gc.collect()
        gc.freeze()
        state.start()
        try:
            yield {ENDING: state.ending, AUDIT: state.audit_log}
        finally:
            await state.stop()

    app = Starlette(
        routes=[
            *_with_slash(Route, "/graphql", graphql, methods=["GET", "POST"]),
            *_with_slash(WebSocketRoute, "/graphql", WebSocketEndpoint()),
            WebSocketRoute("/{path:path}", _no_websocket),
            *_with_slash(Route, "/healthz", healthz),
            *_with_slash(Route, "/readyz", readyz),
            *_metrics(chosen, metrics),
            *_pages(chosen, dashboard),
        ],
        middleware=[
            *_request_spans(chosen),
            *_metrics_port(chosen, metrics),
            Middleware(RequestLog, audit_log=state.audit_log),
            Middleware(OriginPolicy, settings=chosen),
        ],
        exception_handlers={HTTPException: _http_error},
        lifespan=lifespan,
    )
    app.state.joblens = state
    # A redirect would use the scheme, host and path that a proxy requests, not the client's.
    app.router.redirect_slashes = False
    return app


def _engine(settings: Settings) -> AsyncEngine:
    assert settings.database_url is not None
    options = replace(_engine_options(settings), notify_seconds=settings.live_notify_seconds)
    return create_engine(settings.database_url.get_secret_value(), options)


def _engine_options(settings: Settings) -> EngineOptions:
    return EngineOptions(
        pool_size=settings.pool_size,
        pool_overflow=settings.pool_overflow,
        pool_timeout_seconds=settings.pool_timeout_seconds,
        pool_recycle_seconds=settings.pool_recycle_seconds,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        command_timeout_seconds=settings.statement_timeout_seconds + 5,
        pooler=settings.database_pooler,
    )


def _hub(settings: Settings, engine: AsyncEngine) -> Hub:
    url = settings.listen_url or settings.database_url
    assert url is not None
    return Hub(
        engine,
        url.get_secret_value(),
        LiveOptions(
            poll_seconds=settings.live_poll_seconds,
            quiet_poll_seconds=settings.live_quiet_poll_seconds,
            window_seconds=settings.live_window_seconds,
            queue_size=settings.live_queue_size,
            min_every_seconds=settings.live_min_every_seconds,
            statement_timeout_seconds=settings.statement_timeout_seconds,
            connect_timeout_seconds=settings.connect_timeout_seconds,
        ),
    )


def _tasks(settings: Settings) -> list[BackgroundTask]:
    assert settings.database_url is not None
    url = settings.database_url.get_secret_value()
    tasks: list[BackgroundTask] = []
    if settings.tally_interval_seconds:
        tasks.append(Tallier(url, settings.tally_interval_seconds, settings.tally_max_keys))
    if settings.prune_interval_seconds:
        pace = Pace(settings.prune_batch_size, settings.prune_pause_ratio)
        tasks.append(Pruner(url, settings.prune_interval_seconds, pace))
    if settings.mirror:
        tasks.append(Mirrors(url, settings.org))
    return tasks


def _request_limits(settings: Settings) -> RequestLimits:
    return RequestLimits(
        page_size_default=settings.page_size_default,
        page_size_max=settings.page_size_max,
        max_json_bytes=settings.max_json_bytes,
        max_response_bytes=settings.max_response_bytes,
        max_cost=settings.max_cost,
        backoff=Backoff(settings.backoff_base_seconds, settings.backoff_cap_seconds),
    )


def _with_slash(
    kind: type[Route] | type[WebSocketRoute], path: str, endpoint: Any, **more: Any
) -> list[BaseRoute]:
    """Make the routes of a path with and without a trailing slash."""
    return [kind(each, endpoint, **more) for each in (path, f"{path}/")]


def _pages(settings: Settings, dashboard: Path) -> list[BaseRoute]:
    """Make the routes of the pages. `/` is the dashboard; without it, it leads to GraphiQL."""
    routes: list[BaseRoute] = []
    if settings.dashboard:
        routes += Dashboard(settings, dashboard).routes()
    elif settings.graphiql:
        routes.append(Route("/", _home))
    if settings.graphiql:
        routes.append(Mount("/assets", graphiql.assets()))
    return routes


def _request_spans(settings: Settings) -> list[Middleware]:
    if not settings.traces:
        return []
    # Only here: the library is an extra.
    from server.observability.traces import RequestSpans  # noqa: PLC0415

    return [Middleware(RequestSpans)]


def _metrics(settings: Settings, endpoint: MetricsEndpoint) -> list[BaseRoute]:
    """Make the route of metrics on the address of the API, which needs a token."""
    is_here = settings.metrics_token is not None and settings.metrics_port is None
    return _with_slash(Route, METRICS, endpoint.respond) if is_here else []


def _metrics_port(settings: Settings, endpoint: MetricsEndpoint) -> list[Middleware]:
    """Make the middleware of the port of metrics, if there is one."""
    port = settings.metrics_port
    return [] if port is None else [Middleware(MetricsPort, port=port, endpoint=endpoint)]


async def _home(_request: Request) -> Response:
    """Redirect a browser to GraphiQL."""
    return RedirectResponse("graphql")


async def _no_websocket(socket: WebSocket) -> None:
    error = JoblensError(ErrorCode.NOT_FOUND, "There is no WebSocket at this path.")
    await socket.send_denial_response(write_error(error))


async def _http_error(_request: Request, error: Exception) -> Response:
    """Convert an error of Starlette to our error format."""
    assert isinstance(error, HTTPException)
    code = {404: ErrorCode.NOT_FOUND, 405: ErrorCode.METHOD_NOT_ALLOWED}.get(
        error.status_code, ErrorCode.BAD_REQUEST
    )
    response = write_error(JoblensError(code, error.detail), status=error.status_code)
    if code is ErrorCode.METHOD_NOT_ALLOWED:
        # Starlette's static files do not set it.
        response.headers["allow"] = "GET, HEAD"
    response.headers.update(error.headers or {})
    return response

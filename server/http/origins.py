"""Check the Host and Origin of requests, and allow origins by CORS.

There are no cookies: a foreign page could only make use of its browser's network access.
"""

from collections.abc import Collection
from functools import lru_cache

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from resolvers.errors import ErrorCode, JoblensError
from server.hostnames import host_name, is_loopback
from server.http.responses import write_error
from server.logging import audit
from server.settings import Settings

EXPOSED = "X-Request-Id, Retry-After, RateLimit, RateLimit-Policy, Joblens-Position"
PREFLIGHT_SECONDS = 600


def check_origin(headers: Headers, allowed: Collection[str]) -> None:
    """Refuse a browser's request for a page of another origin, unless that is allowed.

    Newer browsers send `Sec-Fetch-Site`, which pages cannot forge; older ones only `Origin`. Raises
    JoblensError.
    """
    origin = headers.get("origin")
    site = headers.get("sec-fetch-site")
    if site is None:
        foreign = origin is not None and origin.partition("://")[2] != headers.get("host")
    else:
        foreign = site not in {"same-origin", "none"}
    if foreign and origin not in allowed:
        message = "Pages of this origin may not send requests; see JOBLENS_CORS_ORIGINS."
        raise JoblensError(ErrorCode.ORIGIN_NOT_ALLOWED, message)


class OriginPolicy:
    """Middleware that refuses requests with a foreign Host, and answers browsers by CORS."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._origins = frozenset(settings.cors_origins)
        # With authentication, a page that uses a host name of its own (DNS rebinding) has no token.
        self._any_host = settings.auth != "none"
        self._hosts = frozenset(settings.hosts)
        self._is_allowed = lru_cache(maxsize=128)(self._is_own_name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond as an ASGI application."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if not (self._any_host or all(map(self._is_allowed, hosts))):
            message = "'Host' is not a name of this server; see JOBLENS_HOSTS."
            audit.log_limits(ErrorCode.HOST_NOT_ALLOWED)
            refusal = write_error(JoblensError(ErrorCode.HOST_NOT_ALLOWED, message))
            await refusal(scope, receive, send)
        elif self._origins and scope["type"] == "http":
            await self._respond_with_cors(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _is_own_name(self, host: bytes) -> bool:
        # A page cannot make these names resolve to this machine, so its requests do not get here.
        name = host_name(host.decode("latin-1"))
        return name is not None and (name in self._hosts or is_loopback(name))

    async def _respond_with_cors(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        allowed_origin = origin if origin in self._origins else None

        async def send_with_cors(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(MutableHeaders(scope=message), allowed_origin)
            await send(message)

        requested_method = headers.get("access-control-request-method")
        if scope["method"] == "OPTIONS" and requested_method and allowed_origin is not None:
            preflight = _preflight(headers.get("access-control-request-headers"))
            await preflight(scope, receive, send_with_cors)
        else:
            await self.app(scope, receive, send_with_cors)


def _add_headers(headers: MutableHeaders, origin: str | None) -> None:
    # Never with credentials: there are no cookies, and a token header does not need it.
    headers.add_vary_header("Origin")
    if origin is not None:
        headers["access-control-allow-origin"] = origin
        headers["access-control-expose-headers"] = EXPOSED


def _preflight(requested_headers: str | None) -> Response:
    headers = {
        "access-control-allow-methods": "GET, POST",
        "access-control-max-age": str(PREFLIGHT_SECONDS),
        "vary": "Access-Control-Request-Headers",
    }
    if requested_headers is not None:
        # A trusted page may send any header.
        headers["access-control-allow-headers"] = requested_headers
    return Response(status_code=204, headers=headers)

"""Which host this is, and which origins' pages may ask it and read the answers (CORS).

No cookie is ever read, so what a foreign page could use is a browser's place in the network alone.
"""

from collections.abc import Collection
from functools import lru_cache

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from resolvers.errors import ErrorCode, JoblensError
from server.http.hostnames import host_name, is_loopback
from server.http.responses import write_error
from server.logging import audit
from server.settings import Settings

EXPOSED = "X-Request-Id, Retry-After, RateLimit, RateLimit-Policy"
PREFLIGHT_SECONDS = 600


def check_origin(headers: Headers, allowed: Collection[str]) -> None:
    """Refuse what a browser asks for a page of another origin, unless that is allowed.

    Newer browsers tell by `Sec-Fetch-Site`, which no page can forge; older ones by `Origin` only.
    """
    origin = headers.get("origin")
    site = headers.get("sec-fetch-site")
    if site is None:
        foreign = origin is not None and origin.partition("://")[2] != headers.get("host")
    else:
        foreign = site not in {"same-origin", "none"}
    if foreign and origin not in allowed:
        words = "Pages of this origin may not ask; JOBLENS_CORS_ORIGINS tells which may."
        raise JoblensError(ErrorCode.ORIGIN_NOT_ALLOWED, words)


class OriginPolicy:
    """Turns away who calls this server by a foreign name; tells browsers who may read answers."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._origins = frozenset(settings.cors_origins)
        # Where credentials are asked for, a page that comes in by a name of its own has none.
        self._any_host = settings.auth != "none"
        self._hosts = frozenset(settings.hosts)
        self._admits_host = lru_cache(maxsize=128)(self._names_us)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if not (self._any_host or all(map(self._admits_host, hosts))):
            words = "This server has another name than the one in 'Host'; see JOBLENS_HOSTS."
            audit.limits(ErrorCode.HOST_NOT_ALLOWED)
            refusal = write_error(JoblensError(ErrorCode.HOST_NOT_ALLOWED, words))
            await refusal(scope, receive, send)
        elif self._origins and scope["type"] == "http":
            await self._answer_browser(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _names_us(self, host: bytes) -> bool:
        # Without a way to resolve a page's own name to this machine, it cannot get in here.
        name = host_name(host.decode("latin-1"))
        return name is not None and (name in self._hosts or is_loopback(name))

    async def _answer_browser(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        admitted = origin if origin in self._origins else None

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                _mark(MutableHeaders(scope=message), admitted)
            await send(message)

        asked = headers.get("access-control-request-method")
        if scope["method"] == "OPTIONS" and asked is not None and admitted is not None:
            preflight = _preflight(headers.get("access-control-request-headers"))
            await preflight(scope, receive, send_marked)
        else:
            await self.app(scope, receive, send_marked)


def _mark(headers: MutableHeaders, origin: str | None) -> None:
    # Never with credentials: there are no cookies, and tokens need none of the browser's leave.
    headers.add_vary_header("Origin")
    if origin is not None:
        headers["access-control-allow-origin"] = origin
        headers["access-control-expose-headers"] = EXPOSED


def _preflight(asked_headers: str | None) -> Response:
    headers = {
        "access-control-allow-methods": "GET, POST",
        "access-control-max-age": str(PREFLIGHT_SECONDS),
        "vary": "Access-Control-Request-Headers",
    }
    if asked_headers is not None:
        # A page that is trusted may send any header: none of them does more here than a token can.
        headers["access-control-allow-headers"] = asked_headers
    return Response(status_code=204, headers=headers)

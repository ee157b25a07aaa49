"""The dashboard's pages: one built page at several paths, below any prefix.

All URLs in the page are relative to its root, which the server writes into it by the depth of the
path. So it needs no `<base>`, and the server need not know the prefix.
"""

from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from resolvers.errors import ErrorCode, JoblensError
from server import built_dashboard
from server.http import graphiql
from server.http.assets import Assets
from server.http.negotiation import HTML, accept_of, preferred
from server.http.responses import write_error
from server.settings import Settings

LISTS = ("jobs", "errors", "queues", "types", "batches", "sources", "activity", "settings")
BY_ID = ("jobs", "sources")
# Names and keys may hold slashes.
BY_NAME = ("errors", "queues", "types", "batches")

# As written in frontend/dashboard.html.
ASSETS = '"./assets/'
ROOT_UNKNOWN = 'name="joblens-root" content="./"'
AUTH_UNKNOWN = 'name="joblens-auth" content="none"'
GRAPHIQL_UNKNOWN = 'name="joblens-graphiql" content="true"'

# Scripts, styles and pictures are our own files, and no script makes markup or code of text.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    # The page names the newest scripts. A browser may keep it for its button Back.
    "cache-control": "no-cache",
    "vary": "Accept",
}

NOT_BUILT = "The dashboard is not built here. In a checkout, `make setup` builds it."
NO_HTML = "This is a page for browsers, which accept text/html; the API is at /graphql."


class Dashboard:
    """Serves the built page and its assets."""

    def __init__(self, settings: Settings, folder: Path = built_dashboard.FOLDER) -> None:
        page = built_dashboard.read_page(folder)
        self._pages = {root: _written(page, root, settings) for root in ("./", "../")}
        self._assets = Assets(folder / built_dashboard.ASSETS)

    def routes(self) -> list[BaseRoute]:
        """Make the routes of all pages, and of the assets."""
        return [
            Route("/", self._at_root),
            *(Route(f"/{name}", self._at_root) for name in LISTS),
            *(Route(f"/{name}/", _without_slash) for name in LISTS),
            *(Route(f"/{name}/{{name}}", self._below) for name in BY_ID),
            *(Route(f"/{name}/{{name}}/", _without_slash) for name in BY_ID),
            *(Route(f"/{name}/{{name:path}}", self._below) for name in BY_NAME),
            Mount("/assets/dashboard", self._assets),
        ]

    async def _at_root(self, http: Request) -> Response:
        return self._respond(http, "./")

    async def _below(self, http: Request) -> Response:
        # A slash in a name is %2F in a browser, but a proxy may have decoded it: only the end of
        # the path tells.
        if http.scope.get("raw_path", b"").endswith(b"/"):
            return await _without_slash(http)
        return self._respond(http, "../")

    def _respond(self, http: Request, root: str) -> Response:
        if not _accepts_page(http):
            return write_error(JoblensError(ErrorCode.NOT_FOUND, NO_HTML))
        page = self._pages[root]
        if page is None:
            return write_error(JoblensError(ErrorCode.NOT_FOUND, NOT_BUILT))
        return HTMLResponse(page, headers=HEADERS)


def _written(page: str | None, root: str, settings: Settings) -> str | None:
    """Write into the page what it cannot know."""
    if page is None:
        return None
    is_offered = str(graphiql.is_offered(settings)).lower()
    return (
        page.replace(ASSETS, f'"{root}assets/')
        .replace(ROOT_UNKNOWN, f'name="joblens-root" content="{root}"')
        .replace(AUTH_UNKNOWN, f'name="joblens-auth" content="{settings.auth}"')
        .replace(GRAPHIQL_UNKNOWN, f'name="joblens-graphiql" content="{is_offered}"')
    )


def _accepts_page(http: Request) -> bool:
    return preferred(accept_of(http.headers) or "*/*", (HTML,)) is not None


async def _without_slash(http: Request) -> Response:
    """Redirect to the path without the slash at its end, by a relative path."""
    if not _accepts_page(http):
        return write_error(JoblensError(ErrorCode.NOT_FOUND, NO_HTML))
    name = http.path_params.get("name", "").rstrip("/")
    last = quote(name, safe="") if name else http.url.path.rstrip("/").rpartition("/")[2]
    query = f"?{http.url.query}" if http.url.query else ""
    return RedirectResponse(f"../{last}{query}", HTTPStatus.PERMANENT_REDIRECT)

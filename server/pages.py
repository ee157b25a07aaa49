"""GraphiQL's page and its assets, built from `frontend/` into `server/graphiql/`."""

from pathlib import Path
from typing import Any

from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from schema.trusted import Mode
from server.settings import Settings

_BUILT = Path(__file__).parent / "graphiql"

# As it stands in frontend/index.html.
AUTH_UNKNOWN = 'name="joblens-auth" content="none"'
NOT_BUILT = "GraphiQL's page is not built here. In a checkout, `make setup` builds it.\n"

NOT_OFFERED = "There is no GraphiQL here: only registered documents are answered.\n"


def graphiql(settings: Settings) -> Response:
    """Answer a browser with the page, where what it sends would be answered.

    Unless `JOBLENS_AUTH` is none, the page asks for a token.
    """
    if settings.documents is Mode.ONLY:
        return PlainTextResponse(NOT_OFFERED, 404)
    page = _BUILT / "index.html"
    if not page.is_file():
        return PlainTextResponse(NOT_BUILT, 404)
    text = page.read_text().replace(AUTH_UNKNOWN, f'name="joblens-auth" content="{settings.auth}"')
    return HTMLResponse(text, headers={"cache-control": "no-cache"})


class _Assets(StaticFiles):
    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        # Their names change with their content.
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


def assets() -> ASGIApp:
    """Serve the page's scripts, styles and fonts, compressed."""
    return GZipMiddleware(_Assets(directory=_BUILT / "assets", check_dir=False))

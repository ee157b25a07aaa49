"""GraphiQL's page and its assets, built from `frontend/` into `server/graphiql/`."""

from functools import lru_cache
from pathlib import Path
from secrets import token_urlsafe

from starlette.responses import HTMLResponse, Response

from resolvers.errors import ErrorCode, JoblensError
from schema.execution.persisted_documents import Mode
from server.http.assets import Assets
from server.http.responses import write_error
from server.settings import Settings

_BUILT = Path(__file__).parents[1] / "graphiql"

# As written in frontend/index.html.
AUTH_UNKNOWN = 'name="joblens-auth" content="none"'
NOT_BUILT = "GraphiQL's page is not built here. In a checkout, `make setup` builds it."
# The placeholder in the built page.
NONCE = "CSP_NONCE"
# Scripts are served from our own files only. The editor's style elements get the nonce; it also
# uses style attributes, which cannot have one.
POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; "
    "style-src-elem 'self' 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

NOT_OFFERED = "There is no GraphiQL here: only registered documents are run.\n"


def is_offered(settings: Settings) -> bool:
    """Return whether there is a GraphiQL: it needs documents of any text."""
    return settings.graphiql and settings.documents is not Mode.ONLY


def graphiql(settings: Settings) -> Response:
    """Respond with the page, unless only registered documents are run.

    Unless `JOBLENS_AUTH` is none, the page prompts for a token.
    """
    if settings.documents is Mode.ONLY:
        return write_error(JoblensError(ErrorCode.NOT_FOUND, NOT_OFFERED))
    page = _page()
    if page is None:
        return write_error(JoblensError(ErrorCode.NOT_FOUND, NOT_BUILT))
    nonce = token_urlsafe(16)
    headers = {
        "content-security-policy": POLICY.format(nonce=nonce),
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
        "cache-control": "no-store",
        "vary": "Accept",
    }
    auth = f'name="joblens-auth" content="{settings.auth}"'
    text = page.replace(NONCE, nonce).replace(AUTH_UNKNOWN, auth)
    return HTMLResponse(text, headers=headers)


@lru_cache(maxsize=1)
def _page() -> str | None:
    page = _BUILT / "index.html"
    return page.read_text() if page.is_file() else None


def assets() -> Assets:
    """Serve the page's scripts, styles and fonts."""
    return Assets(_BUILT / "assets")

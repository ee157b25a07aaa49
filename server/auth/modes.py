"""Which authenticator a process has, by `JOBLENS_AUTH`."""

from sqlalchemy.ext.asyncio import AsyncEngine

from server.auth.anybody import Anybody
from server.auth.credentials import Authenticator
from server.auth.tokens import TokenAuthenticator
from server.settings import Settings


def create_authenticator(settings: Settings, engine: AsyncEngine) -> Authenticator:
    """Make what knows the clients of a process with these settings."""
    if settings.auth == "none":
        return Anybody(settings.org)
    return TokenAuthenticator(engine, settings.statement_timeout_seconds)

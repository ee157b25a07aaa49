"""Create the authenticator that `JOBLENS_AUTH` selects."""

from sqlalchemy.ext.asyncio import AsyncEngine

from server.auth.credentials import Authenticator
from server.auth.jwt_auth import JwtAuthenticator, JwtRules
from server.auth.no_auth import NoAuthenticator
from server.auth.token_auth import TokenAuthenticator
from server.settings import Settings


def create_authenticator(settings: Settings, engine: AsyncEngine) -> Authenticator:
    """Create the authenticator of a process."""
    if settings.auth == "none":
        return NoAuthenticator(settings.org)
    if settings.auth == "jwt":
        return JwtAuthenticator(_rules(settings))
    return TokenAuthenticator(engine, settings.statement_timeout_seconds)


def _rules(settings: Settings) -> JwtRules:
    # The settings validate that these are set.
    assert settings.jwt_issuer
    assert settings.jwt_audience
    assert settings.jwt_jwks
    return JwtRules(
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
        jwks=settings.jwt_jwks,
        algorithms=settings.jwt_algorithms,
        org_claim=settings.jwt_org_claim,
        subject_claim=settings.jwt_subject_claim,
        roles_claim=settings.jwt_roles_claim,
        leeway_seconds=settings.jwt_leeway_seconds,
    )

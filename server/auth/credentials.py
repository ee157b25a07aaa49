"""Credentials as clients present them, as they are verified, and the authenticator's protocol."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from db.cache_figures import CacheFigures
from resolvers.errors import ErrorCode, JoblensError
from resolvers.ids import parse_uuid
from resolvers.viewer import Viewer

AUTHORIZATION = "Authorization"
ORG_HEADER = "Joblens-Org"
TOKEN_KEY = "token"  # noqa: S105 - a name, not a token
SCHEME = "bearer"


class UnauthenticatedError(JoblensError):
    """The client is not authenticated. `challenge`: of the WWW-Authenticate header (RFC 6750)."""

    def __init__(self, message: str, challenge: str = 'Bearer error="invalid_token"') -> None:
        super().__init__(ErrorCode.UNAUTHENTICATED, message)
        self.challenge = challenge


class MissingTokenError(UnauthenticatedError):
    """The client sent no credentials."""

    def __init__(self) -> None:
        super().__init__("This needs a token: send 'Authorization: Bearer …'.", "Bearer")


class RevokedError(UnauthenticatedError):
    """The credential of an open connection has expired or was revoked."""

    def __init__(self) -> None:
        super().__init__("The token has expired or was revoked.")


@dataclass(frozen=True, slots=True)
class PresentedCredential:
    """The unverified `Authorization` and `Joblens-Org` of a client."""

    authorization: object = None
    org: object = None

    def token(self) -> str:
        """Get the bearer token. Raises UnauthenticatedError if there is none."""
        if self.authorization is None:
            raise MissingTokenError
        text = self.authorization if isinstance(self.authorization, str) else ""
        scheme, _, token = text.partition(" ")
        if scheme.lower() != SCHEME or not token.strip():
            raise UnauthenticatedError("Authorization must be 'Bearer' and a token.", "Bearer")
        return token.strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A verified credential, valid until `expires_at` (seconds since the epoch; None: no expiry).

    `key` is the token's digest; empty if there is no token. `token_id` is not secret: token lists
    and the audit log show it.
    """

    viewer: Viewer
    key: bytes = b""
    token_id: str | None = None
    expires_at: float | None = None

    @property
    def has_expired(self) -> bool:
        """Whether `expires_at` has passed."""
        return self.expires_at is not None and self.expires_at <= time.time()


class Authenticator(Protocol):
    """Verifies the credentials of clients."""

    @property
    def cache(self) -> CacheFigures:
        """The figures of the cache of verified and refused credentials."""
        ...

    async def authenticate(self, presented: PresentedCredential) -> Credential:
        """Verify a credential.

        Raises UnauthenticatedError; UnavailableError if it cannot be verified now; JoblensError if
        the organisation named is malformed or another than the credential's.
        """
        ...

    async def revoked(
        self, org_id: UUID, credentials: Collection[Credential]
    ) -> Collection[Credential]:
        """Get those of an organisation's credentials that were revoked or changed."""
        ...

    async def stop(self) -> None:
        """Wait for running tasks, at shutdown."""
        ...


def from_headers(headers: Mapping[str, str]) -> PresentedCredential:
    """Read the credential in a request's headers."""
    return PresentedCredential(headers.get(AUTHORIZATION), headers.get(ORG_HEADER))


def from_init(payload: Mapping[str, Any], headers: Mapping[str, str]) -> PresentedCredential:
    """Read the credential in the payload of `connection_init`; what it lacks, in the headers.

    Names are case-insensitive, as those of headers. `token` is a token without its scheme. Values
    that are not text are kept, so that they are refused rather than ignored.
    """
    named = {name.lower(): value for name, value in payload.items() if value is not None}
    authorization, org = named.get(AUTHORIZATION.lower()), named.get(ORG_HEADER.lower())
    token = named.get(TOKEN_KEY)
    if authorization is None or not isinstance(token, str | None):
        authorization = f"{SCHEME} {token}" if isinstance(token, str) else token
    return PresentedCredential(
        headers.get(AUTHORIZATION) if authorization is None else authorization,
        headers.get(ORG_HEADER) if org is None else org,
    )


def check_org(viewer: Viewer, named: object) -> None:
    """Refuse a request for another organisation than its credential's. Raises JoblensError."""
    if named is None:
        return
    if not isinstance(named, str) or parse_uuid(named) != viewer.org_id:
        message = f"{ORG_HEADER} is not the organisation of these credentials; leave it out."
        raise JoblensError(ErrorCode.BAD_REQUEST, message)

"""What a client shows of itself, what that is worth, and what decides so."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from resolvers.errors import ErrorCode, JoblensError
from resolvers.ids import parse_uuid
from resolvers.viewer import Viewer

AUTHORIZATION = "Authorization"
ORG_HEADER = "Joblens-Org"
TOKEN_KEY = "token"  # noqa: S105 - the name of one
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
    """What a client says of itself: `Authorization`, and the organisation that it names."""

    authorization: object = None
    org: object = None

    def token(self) -> str:
        """Get the bearer token; raise UnauthenticatedError where there is none."""
        if self.authorization is None:
            raise MissingTokenError
        text = self.authorization if isinstance(self.authorization, str) else ""
        scheme, _, token = text.partition(" ")
        if scheme.lower() != SCHEME or not token.strip():
            raise UnauthenticatedError("Authorization must be 'Bearer' and a token.", "Bearer")
        return token.strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What a client is known by, until `expires_at` (seconds since the epoch; None: for ever).

    `key` tells one token from another. `token_id` is no secret: whoever made the
    token knows it by that.
    """

    viewer: Viewer
    key: bytes = b""
    token_id: str | None = None
    expires_at: float | None = None

    @property
    def has_expired(self) -> bool:
        """Whether its time is over."""
        return self.expires_at is not None and self.expires_at <= time.time()


class Authenticator(Protocol):
    """What knows clients by what they show."""

    async def authenticate(self, presented: PresentedCredential) -> Credential:
        """Get what is known of the client.

        Raises UnauthenticatedError, UnavailableError where that cannot be found out now, and
        JoblensError where the client contradicts itself.
        """
        ...

    async def revoked(
        self, org_id: UUID, credentials: Collection[Credential]
    ) -> Collection[Credential]:
        """Get those of an organisation's credentials that hold no more, though not expired."""
        ...

    async def stop(self) -> None:
        """Wait for what still runs; the process ends."""
        ...


def from_headers(headers: Mapping[str, str]) -> PresentedCredential:
    """Read what a request's headers show."""
    return PresentedCredential(headers.get(AUTHORIZATION), headers.get(ORG_HEADER))


def from_init(payload: Mapping[str, Any], headers: Mapping[str, str]) -> PresentedCredential:
    """Read what the payload of `connection_init` shows, and where it is silent, the headers.

    As the headers' own, the names may be written in any case. `token` is one without its scheme.
    What is of another type than text is kept as it is: it is no token, and no silence either.
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
    """Refuse a client that means to act for another organisation than its credentials are of."""
    if named is None:
        return
    if not isinstance(named, str) or parse_uuid(named) != viewer.org_id:
        words = f"{ORG_HEADER} is not the organisation of these credentials; leave it out."
        raise JoblensError(ErrorCode.BAD_REQUEST, words)

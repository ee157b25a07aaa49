"""`JOBLENS_AUTH=jwt`: verify access tokens of an OpenID Connect provider with its public keys."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import jwt
from cachetools import TTLCache

from db.cache_figures import CacheCounts, CacheFigures
from db.times import LAST
from db.validation import name_fault
from resolvers.errors import UnavailableError
from resolvers.ids import parse_uuid
from resolvers.viewer import Role, Viewer
from server.auth.credentials import Credential, PresentedCredential, UnauthenticatedError, check_org
from server.auth.jwks import KeySet, KeysUnavailableError
from server.auth.token_format import digest

# Verified tokens are cached: verifying a signature is expensive.
CACHE_SECONDS = 60.0
CACHE_SIZE = 10_000
MAX_LENGTH = 16_384

REFUSED = "This token is not valid here, or has expired."


@dataclass(frozen=True, slots=True)
class JwtRules:
    """What a token must match, and the names of its claims."""

    issuer: str
    audience: str
    jwks: str
    algorithms: tuple[str, ...]
    org_claim: str
    subject_claim: str
    roles_claim: str
    leeway_seconds: float


class JwtAuthenticator:
    """Authenticates clients by tokens that their provider signed."""

    def __init__(self, rules: JwtRules) -> None:
        self._rules = rules
        self._known: TTLCache[bytes, Credential] = TTLCache(CACHE_SIZE, CACHE_SECONDS)
        # Tokens must be verified again when the keys change.
        self._keys = KeySet(rules.jwks, on_change=self._known.clear)
        self._counts = CacheCounts()

    @property
    def cache(self) -> CacheFigures:
        """The figures of the verified tokens."""
        return self._counts.figures(len(self._known))

    async def authenticate(self, presented: PresentedCredential) -> Credential:
        """Verify the token, and read the viewer from its claims."""
        token = presented.token()
        key = digest(token)
        credential = self._known.get(key)
        if credential is not None:
            self._counts.hits += 1
        else:
            self._counts.misses += 1
            credential = self._credential(key, await self._claims(token))
            self._known[key] = credential
        if credential.has_expired:
            raise UnauthenticatedError(REFUSED)
        check_org(credential.viewer, presented.org)
        return credential

    async def revoked(
        self, _org_id: UUID, _credentials: Collection[Credential]
    ) -> Collection[Credential]:
        """Return none: a provider's token ends only when it expires."""
        return ()

    async def stop(self) -> None:
        """Wait for a running refresh of the keys."""
        await self._keys.stop()

    async def _claims(self, token: str) -> Mapping[str, Any]:
        """Verify the token, and return its claims."""
        rules = self._rules
        try:
            if len(token) > MAX_LENGTH:
                raise UnauthenticatedError(REFUSED)
            header = jwt.get_unverified_header(token)
            algorithm = header.get("alg")
            if algorithm not in rules.algorithms:
                raise UnauthenticatedError(REFUSED)
            key = await self._keys.get(header.get("kid"), algorithm)
            if key is None:
                raise UnauthenticatedError(REFUSED)
            claims = jwt.decode(
                token,
                key,
                algorithms=rules.algorithms,
                issuer=rules.issuer,
                audience=rules.audience,
                leeway=rules.leeway_seconds,
                options={"require": ["exp", "iss", "aud"], "enforce_minimum_key_length": True},
            )
            return {**claims, "exp": float(claims["exp"])}
        except KeysUnavailableError:
            raise UnavailableError from None
        except (jwt.PyJWTError, ValueError, OverflowError, RecursionError):
            # The reason is not revealed.
            raise UnauthenticatedError(REFUSED) from None

    def _credential(self, key: bytes, claims: Mapping[str, Any]) -> Credential:
        rules = self._rules
        org = _claim(claims, rules.org_claim)
        org_id = parse_uuid(org) if isinstance(org, str) else None
        if org_id is None:
            message = f"The token's claim '{rules.org_claim}' must be an organisation's UUID."
            raise UnauthenticatedError(message)
        subject = _claim(claims, rules.subject_claim)
        if not isinstance(subject, str) or name_fault(subject) or not subject.isprintable():
            message = f"The token's claim '{rules.subject_claim}' must be a name."
            raise UnauthenticatedError(message)
        roles = _roles(_claim(claims, rules.roles_claim))
        if not roles:
            message = f"The token's claim '{rules.roles_claim}' has none of: {', '.join(Role)}."
            raise UnauthenticatedError(message)
        return Credential(
            viewer=Viewer(org_id, subject, roles, _time(claims["exp"])),
            key=key,
            token_id=_token_id(claims.get("jti")),
            expires_at=claims["exp"] + rules.leeway_seconds,
        )


def _time(seconds: float) -> datetime:
    """Convert seconds since the epoch; to the last time there is if they are too many."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return LAST


def _token_id(jti: object) -> str | None:
    """Return the token's id if it is a printable name."""
    is_id = isinstance(jti, str) and not name_fault(jti) and jti.isprintable()
    return str(jti) if is_id else None


def _claim(claims: Mapping[str, Any], path: str) -> Any:
    """Get a claim by its name or by a dotted path; None if there is none."""
    if path in claims:
        # Some providers use URLs, which have dots, as names of claims.
        return claims[path]
    value: Any = claims
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _roles(claim: object) -> tuple[Role, ...]:
    """Read the roles from a list, or from text divided by spaces. Unknown roles are ignored."""
    names = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
    return tuple(role for role in Role if role in names)

"""`JOBLENS_AUTH=jwt`: access tokens of an OpenID Connect provider, checked with its public keys."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import jwt

from db.validation import name_fault
from resolvers.errors import UnavailableError
from resolvers.ids import parse_uuid
from resolvers.viewer import Role, Viewer
from server.auth.credential_cache import CredentialCache
from server.auth.credentials import Credential, PresentedCredential, UnauthenticatedError, check_org
from server.auth.jwks import KeySet, KeysUnavailableError
from server.auth.token_format import digest

# For so long a token that was checked is not checked again: its signature costs more than a look.
REMEMBERED_SECONDS = 60.0
MOST_REMEMBERED = 10_000
MAX_LENGTH = 16_384

REFUSED = "This token is not valid here, or has expired."


@dataclass(frozen=True, slots=True)
class JwtRules:
    """What a token must be, and where its claims stand."""

    issuer: str
    audience: str
    jwks: str
    algorithms: tuple[str, ...]
    org_claim: str
    subject_claim: str
    roles_claim: str
    leeway_seconds: float


class JwtAuthenticator:
    """Knows clients by what their provider signed."""

    def __init__(self, rules: JwtRules) -> None:
        self._rules = rules
        self._known: CredentialCache[Credential] = CredentialCache(
            REMEMBERED_SECONDS, MOST_REMEMBERED
        )
        # A key that is gone takes along what was checked with it.
        self._keys = KeySet(rules.jwks, changed=self._known.clear)

    async def authenticate(self, presented: PresentedCredential) -> Credential:
        """Get what the token says of its bearer."""
        token = presented.token()
        key = digest(token)
        credential = self._known.get(key)
        if credential is None:
            credential = self._credential(key, await self._claims(token))
            self._known.put(key, credential)
        if credential.has_expired:
            raise UnauthenticatedError(REFUSED)
        check_org(credential.viewer, presented.org)
        return credential

    async def revoked(
        self, _org_id: UUID, _credentials: Collection[Credential]
    ) -> Collection[Credential]:
        """Get none: nothing but its time ends a token of a provider."""
        return ()

    async def stop(self) -> None:
        """Wait for what is being read."""
        await self._keys.stop()

    async def _claims(self, token: str) -> Mapping[str, Any]:
        """Check the token, and get its claims."""
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
            # Not which of its rules it breaks: that is between the client and its provider.
            raise UnauthenticatedError(REFUSED) from None

    def _credential(self, key: bytes, claims: Mapping[str, Any]) -> Credential:
        rules = self._rules
        org = _claim(claims, rules.org_claim)
        org_id = parse_uuid(org) if isinstance(org, str) else None
        if org_id is None:
            words = f"The token's claim '{rules.org_claim}' must be an organisation's UUID."
            raise UnauthenticatedError(words)
        subject = _claim(claims, rules.subject_claim)
        if not isinstance(subject, str) or name_fault(subject) or not subject.isprintable():
            words = f"The token's claim '{rules.subject_claim}' must be a name."
            raise UnauthenticatedError(words)
        roles = _roles(_claim(claims, rules.roles_claim))
        if not roles:
            words = f"The token's claim '{rules.roles_claim}' has none of: {', '.join(Role)}."
            raise UnauthenticatedError(words)
        return Credential(
            viewer=Viewer(org_id, subject, roles),
            key=key,
            token_id=_token_id(claims.get("jti")),
            expires_at=claims["exp"] + rules.leeway_seconds,
        )


def _token_id(jti: object) -> str | None:
    """Take the id that the provider gave the token, if it is one to be read."""
    is_id = isinstance(jti, str) and not name_fault(jti) and jti.isprintable()
    return str(jti) if is_id else None


def _claim(claims: Mapping[str, Any], path: str) -> Any:
    """Get a claim by its name, or by the dotted path that leads to it; None where there is none."""
    if path in claims:
        # Some providers name claims by URLs, with dots.
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _roles(claim: object) -> tuple[Role, ...]:
    """Read the roles from a list, or from words in a text; other roles are other programs'."""
    words = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
    return tuple(role for role in Role if role in words)

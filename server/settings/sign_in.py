"""How clients authenticate."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from server.hostnames import is_loopback
from server.settings.values import COMMA_SEPARATED, PREFIX

# Only key pairs: with a shared secret, every verifier could sign tokens.
Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]


class SignInSettings(BaseModel):
    """How clients authenticate."""

    model_config = ConfigDict(title="Signing in")

    auth: Literal["token", "jwt", "none"] = Field(
        "token",
        description="How clients authenticate: with a `token` of `joblens token create`, with a "
        "`jwt` of an OpenID Connect provider, or `none`: every client is an anonymous admin, on "
        "loopback addresses only.",
    )
    org: UUID = Field(
        UUID("00000000-0000-0000-0000-000000000001"),
        description="The organisation of `import` and `export` without `--org`; and, with "
        "`JOBLENS_AUTH=none`, of requests without a `Joblens-Org` header.",
    )
    jwt_issuer: str | None = Field(
        None,
        description="The `iss` of tokens, with `JOBLENS_AUTH=jwt`: the provider's exact issuer "
        "URL.",
    )
    jwt_audience: str | None = Field(
        None,
        description="The `aud` of tokens: the provider's name for this server.",
    )
    jwt_jwks: str | None = Field(
        None,
        description="The provider's public keys (JWKS): an `https:` URL, or a file. Refreshed "
        "every 5 minutes, and, at most every 10 seconds, when a token names an unknown key.",
    )
    jwt_algorithms: Annotated[tuple[Algorithm, ...], COMMA_SEPARATED] = Field(
        ("RS256",),
        min_length=1,
        description="The allowed signature algorithms of tokens, separated by commas: `RS`, `PS` "
        "or `ES`, each with `256`, `384` or `512`, or `EdDSA`.",
    )
    jwt_org_claim: str = Field(
        "org",
        min_length=1,
        description="The claim with the organisation's UUID. In names of claims, dots lead into "
        "nested objects: `realm_access.roles`.",
    )
    jwt_subject_claim: str = Field(
        "sub",
        min_length=1,
        description="The claim with the client's name.",
    )
    jwt_roles_claim: str = Field(
        "roles",
        min_length=1,
        description="The claim with the roles: a list, or text divided by spaces. Unknown roles "
        "are ignored.",
    )
    jwt_leeway_seconds: float = Field(
        30.0,
        ge=0,
        le=300,
        description="By how much the provider's clock may differ from the server's.",
    )

    @model_validator(mode="after")
    def _validate_provider(self) -> Self:
        if self.auth != "jwt":
            return self
        needed = {"ISSUER": self.jwt_issuer, "AUDIENCE": self.jwt_audience, "JWKS": self.jwt_jwks}
        if missing := [f"{PREFIX}JWT_{name}" for name, value in needed.items() if not value]:
            raise ValueError(f"{PREFIX}AUTH=jwt needs {', '.join(missing)}")
        url = urlsplit(self.jwt_jwks or "")
        if url.scheme == "http" and not is_loopback(url.hostname or ""):
            raise ValueError(f"{PREFIX}JWT_JWKS must be a file or an https: URL")
        return self

"""How clients show who they are."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from server.hostnames import is_loopback
from server.settings.values import PREFIX, WORDS

# Signatures with a key pair only: with a shared secret, whoever checks tokens could make them.
Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]


class SignInSettings(BaseModel):
    """How clients show who they are."""

    model_config = ConfigDict(title="Signing in")

    auth: Literal["token", "jwt", "none"] = Field(
        "token",
        description="How clients sign in: with a `token` of `joblens token create`, with a `jwt` "
        "of an OpenID Connect provider, or with `none`, as whoever they say they are, which is "
        "for loopback addresses only.",
    )
    org: UUID = Field(
        UUID("00000000-0000-0000-0000-000000000001"),
        description="With `JOBLENS_AUTH=none`, the organisation a request acts for when it has no "
        "`Joblens-Org` header; and the one that `import` and `export` use without `--org`.",
    )
    jwt_issuer: str | None = Field(
        None, description="The `iss` of tokens, with `JOBLENS_AUTH=jwt`: the provider, exactly."
    )
    jwt_audience: str | None = Field(
        None, description="The `aud` of tokens: the name that the provider gives this Joblens."
    )
    jwt_jwks: str | None = Field(
        None,
        description="The provider's public keys (JWKS): an `https:` URL, or a file. Read anew when "
        "a token names an unknown key, at most every 10 seconds, and every 5 minutes.",
    )
    jwt_algorithms: Annotated[tuple[Algorithm, ...], WORDS] = Field(
        ("RS256",),
        min_length=1,
        description="The algorithms that tokens may be signed by, with commas: any of `RS`, `PS` "
        "and `ES`, each with `256`, `384` or `512`, and `EdDSA`.",
    )
    jwt_org_claim: str = Field(
        "org",
        min_length=1,
        description="The claim that holds the organisation's UUID. In claims, dots lead into "
        "nested objects: `realm_access.roles`.",
    )
    jwt_subject_claim: str = Field(
        "sub", min_length=1, description="The claim that holds the client's name."
    )
    jwt_roles_claim: str = Field(
        "roles",
        min_length=1,
        description="The claim that holds the roles: a list, or words in one text. Unknown ones "
        "are passed over.",
    )
    jwt_leeway_seconds: float = Field(
        30.0, ge=0, le=300, description="By how much the provider's clock may differ from ours."
    )

    @model_validator(mode="after")
    def _names_its_provider(self) -> Self:
        if self.auth != "jwt":
            return self
        needed = {"ISSUER": self.jwt_issuer, "AUDIENCE": self.jwt_audience, "JWKS": self.jwt_jwks}
        if missing := [f"{PREFIX}JWT_{name}" for name, value in needed.items() if not value]:
            raise ValueError(f"{PREFIX}AUTH=jwt needs {', '.join(missing)}")
        url = urlsplit(self.jwt_jwks or "")
        if url.scheme == "http" and not is_loopback(url.hostname or ""):
            raise ValueError(f"{PREFIX}JWT_JWKS must be a file or an https: URL")
        return self

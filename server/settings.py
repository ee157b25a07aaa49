"""Every setting of Joblens: one frozen object, read once from `JOBLENS_…` variables.

The descriptions here are the reference: docs/reference/settings.md is generated from them.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from uuid import UUID

import platformdirs
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from db.limits import MAX_JSON_BYTES
from resolvers.redaction import DEFAULT_KEYS, Redaction
from schema.trusted import Mode
from server.names import as_host, as_origin, is_loopback

PREFIX = "JOBLENS_"


# Signatures with a key pair only: with a shared secret, whoever checks tokens could make them.
Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]


Host = Annotated[str, AfterValidator(as_host)]
Origin = Annotated[str, AfterValidator(as_origin)]


class SettingsError(Exception):
    """A `JOBLENS_…` variable is unknown or has a value that its setting cannot take."""


def _words(value: object) -> object:
    return tuple(word.strip() for word in value.split(",")) if isinstance(value, str) else value


def _default_data_dir() -> Path:
    return platformdirs.user_data_path("joblens", appauthor=False)


class Settings(BaseModel):
    """The settings of one process. `Settings.read()` is the way to get them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: SecretStr | None = Field(
        None,
        description="The PostgreSQL (15 to 18) that keeps the ledger, as a libpq connection URI "
        "such as `postgresql://user:password@host/database`. Unset: an embedded PostgreSQL, for "
        "trying and developing.",
    )
    data_dir: Path = Field(
        default_factory=_default_data_dir,
        description="Where the embedded PostgreSQL keeps its data. Unset: `joblens` in the user's "
        "data directory.",
    )
    org: UUID = Field(
        UUID("00000000-0000-0000-0000-000000000001"),
        description="With `JOBLENS_AUTH=none`, the organisation a request acts for when it has no "
        "`Joblens-Org` header; and the one that `import` and `export` use without `--org`.",
    )
    auth: Literal["token", "jwt", "none"] = Field(
        "token",
        description="How clients sign in: with a `token` of `joblens token create`, with a `jwt` "
        "of an OpenID Connect provider, or with `none`, as whoever they say they are, which is "
        "for loopback addresses only.",
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
    jwt_algorithms: Annotated[tuple[Algorithm, ...], BeforeValidator(_words)] = Field(
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
    graphiql: bool = Field(True, description="Whether browsers get GraphiQL.")
    host: str = Field(
        "127.0.0.1",
        description="The address to serve on; with `JOBLENS_AUTH=none` a loopback one.",
    )
    port: int = Field(8000, ge=0, le=65535, description="The port to serve on; 0 takes a free one.")
    hosts: Annotated[tuple[Host, ...], BeforeValidator(_words)] = Field(
        (),
        description="With `JOBLENS_AUTH=none`, the host names, with commas, by which clients may "
        "call the server, as behind a proxy. Other names than these, `localhost` and loopback "
        "addresses get 421, so that no web page comes in by a name of its own.",
    )
    cors_origins: Annotated[tuple[Origin, ...], BeforeValidator(_words)] = Field(
        (),
        description="The origins, with commas, whose web pages may ask and read the "
        "answers, such as `https://dashboard.example`. Pages of others are refused.",
    )
    workers: int = Field(1, ge=1, le=64, description="How many processes serve.")
    pool_size: int = Field(
        10, ge=1, le=1000, description="Database connections that a process keeps open."
    )
    pool_overflow: int = Field(
        10, ge=0, le=1000, description="Connections above the pool's size that a peak may open."
    )
    pool_timeout_seconds: float = Field(
        5.0,
        gt=0,
        le=300,
        description="How long a request waits for a connection before `UNAVAILABLE`.",
    )
    pool_recycle_seconds: int = Field(
        1800, ge=1, description="The age at which a connection is replaced before its next use."
    )
    connect_timeout_seconds: float = Field(
        5.0, gt=0, le=300, description="How long opening a database connection may take."
    )
    statement_timeout_seconds: float = Field(
        10.0, gt=0, le=3600, description="How long one SQL statement may run before `TIMEOUT`."
    )
    request_timeout_seconds: float = Field(
        30.0,
        gt=0,
        le=3600,
        description="How long a query or mutation may take in all before `TIMEOUT`.",
    )
    max_requests: int = Field(
        400,
        ge=1,
        description="Queries and mutations that a process runs at once; one more gets "
        "`OVERLOADED`.",
    )
    max_requests_per_viewer: int = Field(
        100,
        ge=1,
        description="How many of them one viewer may have; one more gets `TOO_MANY_REQUESTS`. "
        "Whatever is set: nobody may have more than are free.",
    )
    max_connections: int = Field(
        10_000,
        ge=1,
        description="WebSockets and streams of subscriptions that a process holds; one more gets "
        "`OVERLOADED`.",
    )
    max_connections_per_viewer: int = Field(
        2_000,
        ge=1,
        description="How many of them one viewer may have; one more gets `TOO_MANY_CONNECTIONS`, "
        "or its WebSocket is closed with 1013.",
    )
    rate_points_per_minute: int | None = Field(
        None,
        ge=0,
        le=1_000_000_000,
        description="How many points of cost a viewer may spend in a minute before `RATE_LIMITED`; "
        "0 sets no bound. Unset: 1000000, but no bound with `JOBLENS_AUTH=none`.",
    )
    redis_url: SecretStr | None = Field(
        None,
        description="The Redis in which processes keep together what viewers have spent, such as "
        "`redis://:password@host:6379/0`. Unset: each process counts for itself.",
    )
    page_size_default: int = Field(
        50,
        ge=1,
        le=10_000,
        description="Nodes in a page when a query gives neither `first` nor `last`.",
    )
    page_size_max: int = Field(
        200,
        ge=1,
        le=10_000,
        description="The largest `first` or `last`, and the most ids in `nodes`.",
    )
    max_tokens: int = Field(
        5_000,
        ge=10,
        le=1_000_000,
        description="Words, signs and comments of a document; more get `LIMIT_EXCEEDED`, as do all "
        "below but for the cost.",
    )
    max_operations: int = Field(
        20, ge=1, le=1_000, description="Operations of a document, of which a request runs one."
    )
    max_depth: int = Field(
        20,
        ge=1,
        le=200,
        description="How deep the fields of a document may be nested, through its fragments.",
    )
    max_root_fields: int = Field(
        20, ge=1, le=1_000, description="Fields at the root of an operation, aliases of one apart."
    )
    max_aliases: int = Field(50, ge=0, le=10_000, description="Aliases in a document.")
    max_directives: int = Field(
        50, ge=0, le=10_000, description="Directives, such as `@include`, in a document."
    )
    max_list_items: int = Field(
        2_000,
        ge=1,
        le=100_000,
        description="Items of any list in a document or its variables, those inside of JSON apart.",
    )
    max_cost: int = Field(
        20_000,
        ge=1,
        description="How many objects a query may ask for by the sizes of its pages; one that "
        "could return more gets `COST_EXCEEDED`.",
    )
    introspection: bool = Field(
        True,
        description="Whether clients may ask for `__schema` and `__type`. Off: they may not, and "
        "errors do not suggest names that would have been right.",
    )
    documents: Mode = Field(
        Mode.ANY,
        description="`only`: nothing runs but the documents registered in "
        "`JOBLENS_DOCUMENTS_DIR`, and there is no GraphiQL. `prefer`: others are logged. `any`: "
        "everything runs.",
    )
    documents_dir: Path | None = Field(
        None,
        description="A directory of manifests (`*.json`) of registered documents, as Relay's "
        "compiler or Apollo's tools write them.",
    )
    automatic_persisted_queries: bool = Field(
        False,
        description="Whether clients may register documents by their hashes themselves, to send "
        "them once only.",
    )
    automatic_persisted_queries_bytes: int = Field(
        4_194_304,
        ge=1_024,
        description="How much text of such documents a process keeps; the least used give way.",
    )
    max_body_bytes: int = Field(
        1_048_576,
        ge=1024,
        description="The largest request body, which otherwise gets 413, and the largest WebSocket "
        "message, which otherwise closes its connection with 1009.",
    )
    head_timeout_seconds: float = Field(
        10.0,
        gt=0,
        le=300,
        description="How long a connection may take to send the URL and the headers of a request "
        "before it is closed, with 408 if they had begun.",
    )
    body_timeout_seconds: float = Field(
        30.0, gt=0, le=3600, description="How long the body of a request may take before 408."
    )
    max_json_bytes: int = Field(
        MAX_JSON_BYTES,
        ge=1024,
        description="The largest payload, result or event detail that is taken, as compact JSON.",
    )
    backoff_base_seconds: float = Field(
        10.0, ge=0, le=86_400, description="How long a job waits for its first retry."
    )
    backoff_cap_seconds: float = Field(
        3_600.0, ge=0, le=604_800, description="The longest that a job waits for a retry."
    )
    redact_keys: str = Field(
        DEFAULT_KEYS,
        description="The names of keys whose values are hidden from all but administrators in "
        "payloads, results and details, divided by commas. `*` stands for anything; the case of a "
        "to z, hyphens, underscores, dots and spaces do not count.",
    )
    websocket_init_timeout_seconds: float = Field(
        10.0,
        gt=0,
        le=300,
        description="How long a new WebSocket may be silent before it is closed with 4408: until "
        "its `connection_init`.",
    )
    websocket_max_operations: int = Field(
        100,
        ge=1,
        le=10_000,
        description="Operations, subscriptions among them, that one WebSocket may run at once; "
        "one more gets `TOO_MANY_OPERATIONS`.",
    )
    websocket_ping_seconds: float = Field(
        20.0,
        gt=0,
        le=3600,
        description="How often an idle WebSocket is pinged, and how long its client has to answer.",
    )
    sse_ping_seconds: float = Field(
        15.0,
        gt=0,
        le=3600,
        description="After how long a silence a stream of Server-Sent Events gets a comment, so "
        "that nothing on the way takes it for dead.",
    )
    live_poll_seconds: float = Field(
        2.0,
        gt=0,
        le=3600,
        description="How often an organisation that somebody watches is looked through for events "
        "that nobody was notified of, or that were committed late.",
    )
    live_window_seconds: float = Field(
        30.0,
        gt=0,
        le=3600,
        description="How late an event may be committed after its `ts` and still reach "
        "subscribers.",
    )
    live_queue_size: int = Field(
        1_000,
        ge=2,
        le=100_000,
        description="How many events may wait for one subscriber; one that lets more pile up is "
        "ended with `SLOW_CONSUMER`.",
    )
    live_max_subscriptions: int = Field(
        5_000,
        ge=1,
        description="How many subscriptions a process serves; one more gets "
        "`TOO_MANY_SUBSCRIPTIONS`.",
    )
    live_max_subscriptions_per_viewer: int = Field(
        2_000,
        ge=1,
        description="How many of them one viewer may have; one more gets "
        "`TOO_MANY_SUBSCRIPTIONS`, too.",
    )
    live_min_every_seconds: float = Field(
        0.2, gt=0, le=60, description="The least `everySeconds` of the subscription `statusCounts`."
    )
    log_format: Literal["auto", "text", "json"] = Field(
        "auto", description="`text` for people, `json` for machines, `auto`: text on a terminal."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least important level that is logged."
    )

    @field_validator("redact_keys")
    @classmethod
    def _can_be_keys(cls, keys: str) -> str:
        Redaction(keys)
        return keys

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.page_size_default > self.page_size_max:
            raise ValueError(f"{PREFIX}PAGE_SIZE_DEFAULT is above {PREFIX}PAGE_SIZE_MAX")
        if self.auth == "jwt":
            needed = {"ISSUER": self.jwt_issuer, "AUDIENCE": self.jwt_audience}
            needed["JWKS"] = self.jwt_jwks
            if missing := [f"{PREFIX}JWT_{name}" for name, value in needed.items() if not value]:
                raise ValueError(f"{PREFIX}AUTH=jwt needs {', '.join(missing)}")
            url = urlsplit(self.jwt_jwks or "")
            if url.scheme == "http" and not is_loopback(url.hostname or ""):
                raise ValueError(f"{PREFIX}JWT_JWKS must be a file or an https: URL")
        if self.auth == "none" and not is_loopback(self.host):
            raise ValueError(
                f"{PREFIX}AUTH=none lets anybody in, so {PREFIX}HOST must be a loopback address"
            )
        if self.documents is not Mode.ANY and self.documents_dir is None:
            raise ValueError(f"{PREFIX}DOCUMENTS={self.documents} needs {PREFIX}DOCUMENTS_DIR")
        if self.documents is Mode.ONLY and self.automatic_persisted_queries:
            raise ValueError(
                f"{PREFIX}DOCUMENTS=only leaves nothing to {PREFIX}AUTOMATIC_PERSISTED_QUERIES"
            )
        return self

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read the settings from `environ` (the process's own unless given).

        Raises SettingsError, in words for the person who set them, naming every variable at fault.
        """
        names = {PREFIX + name.upper(): name for name in cls.model_fields}
        source = os.environ if environ is None else environ
        ours = {k: v for k, v in source.items() if k.startswith(PREFIX)}
        unknown = sorted(ours.keys() - names.keys())
        if unknown:
            raise SettingsError(f"unknown setting: {', '.join(unknown)}")
        values = {names[k]: v for k, v in ours.items() if v != ""}
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise SettingsError(
                "; ".join(
                    ": ".join([*map(_variable, fault["loc"]), fault["msg"]])
                    for fault in error.errors()
                )
            ) from None


def _variable(name: object) -> str:
    return PREFIX + str(name).upper()

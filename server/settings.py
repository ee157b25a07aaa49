"""Every setting of Joblens: one frozen object, read once from `JOBLENS_…` variables.

The descriptions here are the reference: docs/reference/settings.md is generated from them.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self
from uuid import UUID

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from db.limits import MAX_JSON_BYTES

PREFIX = "JOBLENS_"


class SettingsError(Exception):
    """A `JOBLENS_…` variable is unknown or has a value that its setting cannot take."""


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
        description="The organisation a request acts for when it has no `Joblens-Org` header, and "
        "the one that `import` and `export` use without `--org`.",
    )
    host: str = Field("127.0.0.1", description="The loopback address to serve on.")
    port: int = Field(8000, ge=0, le=65535, description="The port to serve on; 0 takes a free one.")
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
    rate_points_per_minute: int = Field(
        1_000_000,
        ge=0,
        le=1_000_000_000,
        description="How many points of cost a viewer may spend in a minute before `RATE_LIMITED`; "
        "0 sets no bound.",
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
    max_body_bytes: int = Field(
        1_048_576,
        ge=1024,
        description="The largest request body, which otherwise gets 413, and the largest WebSocket "
        "message, which otherwise closes its connection with 1009.",
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

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.page_size_default > self.page_size_max:
            raise ValueError(f"{PREFIX}PAGE_SIZE_DEFAULT is above {PREFIX}PAGE_SIZE_MAX")
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

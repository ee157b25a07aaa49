"""Bounds on concurrency and time, and the rate limit."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class LoadSettings(BaseModel):
    """Bounds on concurrency and time, and the rate limit."""

    model_config = ConfigDict(title="Load")

    request_timeout_seconds: float = Field(
        30.0,
        gt=0,
        le=3600,
        description="How long a query or mutation may take before it fails with `TIMEOUT`.",
    )
    max_requests: int = Field(
        400,
        ge=1,
        description="Queries and mutations that a process runs at once; more fail with "
        "`OVERLOADED`.",
    )
    max_requests_per_viewer: int = Field(
        100,
        ge=1,
        description="Queries and mutations of one viewer at once; more fail with "
        "`TOO_MANY_REQUESTS`. In any case, a viewer may not have more than are free.",
    )
    max_connections: int = Field(
        10_000,
        ge=1,
        description="WebSockets and event streams of subscriptions of a process; more fail with "
        "`OVERLOADED`.",
    )
    max_connections_per_viewer: int = Field(
        2_000,
        ge=1,
        description="WebSockets and event streams of one viewer; more fail with "
        "`TOO_MANY_CONNECTIONS`, WebSockets are closed with 1013. Also the number of WebSockets of "
        "one address that are not authenticated yet.",
    )
    rate_points_per_minute: int | None = Field(
        None,
        ge=0,
        le=1_000_000_000,
        description="Points of cost that a viewer may spend in a minute; more fail with "
        "`RATE_LIMITED`. 0: no limit. Unset: 1000000, but no limit with `JOBLENS_AUTH=none`.",
    )
    redis_url: SecretStr | None = Field(
        None,
        description="The Redis that stores the points spent, shared by all processes, such as "
        "`redis://:password@host:6379/0`. Unset: each process counts separately.",
    )

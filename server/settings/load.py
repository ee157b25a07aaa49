"""How much may run at once, for how long, and how much a viewer may spend."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class LoadSettings(BaseModel):
    """How much may run at once, for how long, and how much a viewer may spend."""

    model_config = ConfigDict(title="Load")

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
        "or its WebSocket is closed with 1013. Also how many WebSockets one address may have that "
        "have not signed in yet.",
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

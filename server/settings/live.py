"""WebSockets, streams and the subscriptions on them."""

from pydantic import BaseModel, ConfigDict, Field


class LiveSettings(BaseModel):
    """WebSockets, streams and the subscriptions on them."""

    model_config = ConfigDict(title="Live updates")

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
        description="How often an organisation that is watched is looked through for events that "
        "came without a notification.",
    )
    live_window_seconds: float = Field(
        30.0,
        gt=0,
        le=3600,
        description="Where new events are told by their times, on Citus and for events restored "
        "from another server: how late one may be committed after its `ts` and still reach "
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

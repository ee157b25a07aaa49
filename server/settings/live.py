"""WebSockets, event streams and their subscriptions."""

from pydantic import BaseModel, ConfigDict, Field


class LiveSettings(BaseModel):
    """WebSockets, event streams and their subscriptions."""

    model_config = ConfigDict(title="Live updates")

    websocket_init_timeout_seconds: float = Field(
        10.0,
        gt=0,
        le=300,
        description="How long a new WebSocket may take to send `connection_init` before it is "
        "closed with 4408.",
    )
    websocket_max_operations: int = Field(
        100,
        ge=1,
        le=10_000,
        description="Operations, including subscriptions, that one WebSocket may run at once; more "
        "fail with `TOO_MANY_OPERATIONS`.",
    )
    websocket_ping_seconds: float = Field(
        20.0,
        gt=0,
        le=3600,
        description="How often an idle WebSocket is pinged, and how long its client may take to "
        "answer.",
    )
    sse_ping_seconds: float = Field(
        15.0,
        gt=0,
        le=3600,
        description="After how long without data a comment is sent on a stream of Server-Sent "
        "Events, so that no proxy closes it as idle.",
    )
    live_poll_seconds: float = Field(
        2.0,
        gt=0,
        le=3600,
        description="How often an organisation with subscribers is polled for events that came "
        "without a notification.",
    )
    live_quiet_poll_seconds: float = Field(
        6.0,
        gt=0,
        le=3600,
        description="The longest time between two polls of an organisation, while the process "
        "hears its own notifications and polls find no events that came without one. No effect if "
        "it is shorter than `JOBLENS_LIVE_POLL_SECONDS`.",
    )
    live_notify_seconds: float = Field(
        0.03,
        ge=0,
        le=1,
        description="How long a process gathers notifications after its commits, to send those of "
        "an organisation as one.",
    )
    live_window_seconds: float = Field(
        30.0,
        gt=0,
        le=3600,
        description="Where new events are found by their times (on Citus, and for events restored "
        "from another server): how long after its `ts` an event may be committed and still reach "
        "subscribers.",
    )
    live_queue_size: int = Field(
        1_000,
        ge=2,
        le=100_000,
        description="How many events are queued for one subscriber; if there are more, the "
        "subscription ends with `SLOW_CONSUMER`.",
    )
    live_max_subscriptions: int = Field(
        5_000,
        ge=1,
        description="Subscriptions of a process; more fail with `TOO_MANY_SUBSCRIPTIONS`.",
    )
    live_max_subscriptions_per_viewer: int = Field(
        2_000,
        ge=1,
        description="Subscriptions of one viewer in a process; more fail with "
        "`TOO_MANY_SUBSCRIPTIONS`.",
    )
    live_min_every_seconds: float = Field(
        0.2,
        gt=0,
        le=60,
        description="The smallest `everySeconds` of the subscription `statusCounts`.",
    )

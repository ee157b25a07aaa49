"""How long tests wait for what must come: it ends what hangs, and is never what is slow."""

PATIENCE_SECONDS = 300

# The same for the server's side, where its own deadlines are not what a test is about. Events are
# summed only by tests about that: others write jobs without them.
PATIENT = {
    "tally_interval_seconds": "0",
    "prune_interval_seconds": "0",
    "pool_timeout_seconds": "60",
    "connect_timeout_seconds": "60",
    "statement_timeout_seconds": "60",
    "request_timeout_seconds": "120",
    "head_timeout_seconds": "120",
    "body_timeout_seconds": "120",
    "websocket_init_timeout_seconds": "120",
    "websocket_ping_seconds": "120",
}

"""Every metric, with its meaning. docs/reference/metrics.md is generated from it."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `merge`: how the gauges of several processes become one.

    `is_read`: whether it is read from the database when metrics are asked for.
    """

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()
    merge: Literal["livesum", "livemax", "livemin"] = "livesum"
    is_read: bool = False


def _counter(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(f"joblens_{name}_total", "counter", meaning, labels)


def _gauge(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(f"joblens_{name}", "gauge", meaning, labels)


def _highest(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(f"joblens_{name}", "gauge", meaning, labels, "livemax")


def _lowest(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(f"joblens_{name}", "gauge", meaning, labels, "livemin")


def _read(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(f"joblens_{name}", "gauge", meaning, labels, is_read=True)


def _histogram(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(f"joblens_{name}_seconds", "histogram", meaning, labels)


GROUPS: dict[str, tuple[Metric, ...]] = {
    "Operations": (
        _counter(
            "operations",
            "Operations that ended; subscriptions, once they have started. `operation` is the name "
            "if the document is registered, otherwise `other`. `code` is `OK`, the first error "
            "code, or `INTERRUPTED`. `type` is `none` if the document was refused.",
            "type",
            "operation",
            "code",
        ),
        _histogram(
            "operation", "How long queries and mutations took, without the transport.", "type"
        ),
        _histogram("operation_sql", "How long the statements of an operation took.", "type"),
        _histogram(
            "operation_wait",
            "How long an operation waited for connections, and for BEGIN where it is sent alone.",
            "type",
        ),
        _histogram("operation_executor", "The rest: the time of the engine itself.", "type"),
        _counter("cost_points", "Points of cost that operations were admitted with.", "type"),
        _counter("errors", "Refusals and errors that clients got, by code.", "code"),
        _counter("rate_refusals", "Requests that exceeded the points of cost a minute."),
        _gauge("operations_running", "Queries and mutations that run or wait for a connection."),
        _counter(
            "engine_fallbacks",
            "Operations that graphql-core's executor ran: `introspection`, `setting`, or `field`, "
            "which should not occur.",
            "reason",
        ),
    ),
    "PostgreSQL": (
        _histogram("statement", "How long single statements took, without those of transactions."),
        _counter("statements", "Statements, by `outcome`: `ok` or `error`.", "outcome"),
        _gauge("pool_size", "Connections that the pools keep open at most."),
        _gauge("pool_connections", "Connections of the pools: `in_use` or `idle`.", "state"),
        _gauge("pool_overflow", "Connections above the pools' sizes."),
        _gauge("pool_waiting", "Requests that wait for a connection."),
        _highest(
            "replica_lag_seconds",
            "How long ago that was committed which the replica lacks, half a second included; "
            "`+Inf` while it is not known, 0 without a replica.",
        ),
    ),
    "Live updates": (
        _gauge("connections", "WebSockets and event streams."),
        _gauge("subscribers", "Subscriptions."),
        _counter("live_events", "Events that were read for subscribers, once in each process."),
        _histogram("live_event_lag", "From an event's time until subscribers' queues had it."),
        _counter("deliveries", "Responses that subscriptions were sent."),
        _gauge("subscriber_queue_events", "Events that wait for subscribers."),
        _highest("subscriber_queue_events_max", "Events that wait for one subscriber, at most."),
        _gauge("feeds", "Organisations whose events are read, in each process."),
        _highest(
            "feed_lag_seconds",
            "For how long the new events of an organisation have not been read to their end, at "
            "most. With nothing to read it is below `JOBLENS_LIVE_POLL_SECONDS` and a little more.",
        ),
    ),
    "Background": (
        _counter(
            "background_runs", "Runs of background tasks: `tally`, `prune`, `mirror`.", "task"
        ),
        _counter("background_failures", "Those that failed.", "task"),
        _lowest(
            "tally_lag_seconds",
            "For how long events are not summed: since the run that last left none, of any process "
            "of this machine.",
        ),
        _counter("pruned_jobs", "Jobs that were deleted because no retention policy keeps them."),
        _read(
            "mirror_lag_seconds",
            "How far the mirror of a source is behind; one that stopped, ever more so.",
            "organisation",
            "source",
        ),
        _read(
            "mirror_held_bytes",
            "Bytes of the write-ahead log that the slot of a mirror holds in the queue's database.",
            "organisation",
            "source",
        ),
        _read(
            "mirror_failing", "1 if the last reading of a source failed.", "organisation", "source"
        ),
    ),
    "Processes": (
        _gauge("processes", "Server processes."),
        Metric("joblens_info", "gauge", "1, with the version.", ("version",), "livemax"),
        _gauge(
            "cache_entries",
            "Entries of the caches: `credentials` verified or refused; `documents` parsed; "
            "`automatic_documents`; of documents in memory the `costs`, and the `plans` by which "
            "they are run; `statements` compiled.",
            "cache",
        ),
        _counter(
            "cache_hits",
            "How often a cache had what was asked for. What is never kept is not asked for: "
            "documents that are too long, credentials that are none.",
            "cache",
        ),
        _counter(
            "cache_misses",
            "How often it had not: a credential was looked up or verified, a document parsed, an "
            "automatic one refused, a cost worked out, a plan or a statement compiled.",
            "cache",
        ),
    ),
    "The ledger": (
        _read("ledger_jobs", "Jobs by status, if events are summed.", "organisation", "status"),
        _read(
            "ledger_due_jobs", "Queued jobs that are due; 1,000 of a queue at most.", "organisation"
        ),
        _read(
            "ledger_oldest_due_seconds",
            "For how long the first due jobs have waited, at most; 0 without any.",
            "organisation",
        ),
        _read(
            "ledger_failures",
            "Failures of attempts in the last five minutes, 10,000 at most.",
            "organisation",
        ),
        _read("ledger_read_seconds", "How long reading these figures took."),
        _read("ledger_read_failing", "1 if figures could not be read, which are then missing."),
    ),
}

METRICS: dict[str, Metric] = {each.name: each for group in GROUPS.values() for each in group}

"""Measures a process: what its operations and statements report, and what it counts elsewhere."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import inf
from time import monotonic

from sqlalchemy import Connection

from db.background_task import BackgroundTask
from db.pool import FairPool
from db.retention.pruner import Pruner
from db.tallies.tallier import Tallier
from resolvers.live.hub import Hub
from resolvers.version import installed_version
from schema.execution.fallbacks import FALLBACKS, INTROSPECTION, SETTING
from server.limits.admission import AdmissionControl
from server.logging.audit import ERRORS
from server.observability.caches import Caches
from server.observability.operations import OK, Ended, Observer
from server.observability.registry import Registry
from server.read_servers import ReadServers

# How many operations, or statements, are noted before they are counted.
NOTED = 256
# How many figures are noted of an operation.
FIGURES = 4
# The name of operations whose document is not registered.
OTHER = "other"
HITS, MISSES = "joblens_cache_hits_total", "joblens_cache_misses_total"


class _Noted:
    """Operations of a type that have ended and are not counted yet.

    Only figures: what an operation holds, such as its document, is let go at once.
    """

    __slots__ = ("figures", "others")

    def __init__(self) -> None:
        # Of each operation, one after another: its cost, and the seconds of Ended.
        self.figures: list[float] = []
        # By name and code: those that are registered or did not end well.
        self.others: Counter[tuple[str, str]] = Counter()


class Measures(Observer):
    """Measures operations and statements as they end.

    They are only noted: it takes less to count some of them at once.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._statement_times = registry.times("joblens_statement_seconds")
        self._lag_times = registry.times("joblens_live_event_lag_seconds")
        # What is noted: operations by type, and the seconds of statements without an error.
        self._operations: defaultdict[str, _Noted] = defaultdict(_Noted)
        self._statements: list[float] = []

    def ended(self, operation: Ended) -> None:
        """Note an operation that has ended."""
        noted, known = self._operations[operation.type], operation.operation
        figures = noted.figures
        figures += known.cost, operation.seconds, operation.sql, operation.waiting
        if known.is_registered or operation.code is not OK:
            # A label: clients must not choose it.
            name = (known.is_registered and known.name) or OTHER
            noted.others[name, operation.code] += 1
        if len(figures) >= NOTED * FIGURES:
            self.count()

    def statement(
        self, _connection: Connection, _sql: str, seconds: float, error: BaseException | None
    ) -> None:
        """Note a statement."""
        if error is not None:
            self._statement_times.add([seconds])
            self._registry.counts["joblens_statements_total", "error"] += 1
            return
        noted = self._statements
        noted.append(seconds)
        if len(noted) >= NOTED:
            self.count()

    def count(self) -> None:
        """Count what was noted."""
        for type_, noted in self._operations.items():
            if noted.figures:
                self._count(type_, noted)
                noted.figures.clear()
                noted.others.clear()
        if self._statements:
            self._registry.counts["joblens_statements_total", "ok"] += len(self._statements)
            self._statement_times.add(self._statements)
            self._statements.clear()

    def _count(self, type_: str, noted: _Noted) -> None:
        counts, times = self._registry.counts, self._registry.times
        cost, whole, sql, waiting = (noted.figures[n::FIGURES] for n in range(FIGURES))
        for (name, code), number in noted.others.items():
            counts["joblens_operations_total", type_, name, code] += number
        usual = len(cost) - noted.others.total()
        if usual:
            counts["joblens_operations_total", type_, OTHER, OK] += usual
        counts["joblens_cost_points_total", type_] += int(sum(cost))
        if type_ == "subscription":
            return
        times("joblens_operation_seconds", type_).add(whole)
        times("joblens_operation_sql_seconds", type_).add(sql)
        times("joblens_operation_wait_seconds", type_).add(waiting)
        times("joblens_operation_executor_seconds", type_).add(
            [max(0.0, a - b - c) for a, b, c in zip(whole, sql, waiting, strict=True)]
        )

    def refused(self, code: str) -> None:
        """Count a document that was refused."""
        self._registry.counts["joblens_operations_total", "none", OTHER, code] += 1

    def delivered(self, responses: int) -> None:
        """Count responses of a subscription."""
        self._registry.counts[("joblens_deliveries_total",)] += responses

    def lag(self, seconds: float) -> None:
        """Measure how late an event was read."""
        self._lag_times.add([seconds])


class Counts:
    """Copies what a process counts elsewhere into its metrics."""

    def __init__(
        self,
        registry: Registry,
        servers: ReadServers,
        hub: Hub,
        caches: Caches,
        admission: AdmissionControl,
        tasks: Sequence[BackgroundTask],
    ) -> None:
        self._registry = registry
        self._servers, self._hub, self._caches = servers, hub, caches
        self._admission, self._tasks = admission, tasks
        # These are of the whole process.
        for code, count in ERRORS.items():
            registry.start_at("joblens_errors_total", count, code)
        for reason, count in _fallbacks().items():
            registry.start_at("joblens_engine_fallbacks_total", count, reason)
        for name, figures in caches.figures().items():
            registry.start_at(HITS, figures.hits, name)
            registry.start_at(MISSES, figures.misses, name)

    def copy(self) -> None:
        """Copy all."""
        self._copy_admission()
        self._copy_pools()
        self._copy_live()
        self._copy_tasks()
        self._copy_caches()
        put = self._registry.set
        put("joblens_processes", 1)
        put("joblens_info", 1, installed_version())
        for reason, count in _fallbacks().items():
            self._registry.raise_to("joblens_engine_fallbacks_total", count, reason)

    def _copy_admission(self) -> None:
        admission = self._admission
        for code, count in ERRORS.items():
            self._registry.raise_to("joblens_errors_total", count, code)
        self._registry.raise_to("joblens_rate_refusals_total", admission.rate_refusals)
        self._registry.set("joblens_operations_running", len(admission.requests))
        self._registry.set("joblens_connections", len(admission.connections))

    def _copy_pools(self) -> None:
        pools: list[FairPool] = []
        for engine in self._servers.engines:
            assert isinstance(engine.pool, FairPool)
            pools.append(engine.pool)
        put = self._registry.set
        put("joblens_pool_size", sum(pool.size() for pool in pools))
        put("joblens_pool_connections", sum(pool.checkedout() for pool in pools), "in_use")
        put("joblens_pool_connections", sum(pool.checkedin() for pool in pools), "idle")
        put("joblens_pool_overflow", sum(max(0, pool.overflow()) for pool in pools))
        put("joblens_pool_waiting", sum(pool.queue.waiting for pool in pools))
        if (replica := self._servers.replica) is not None:
            lag = replica.lag_seconds
            put("joblens_replica_lag_seconds", inf if lag is None else lag)

    def _copy_live(self) -> None:
        hub, put = self._hub, self._registry.set
        queued = hub.queued
        put("joblens_subscribers", len(queued))
        put("joblens_subscriber_queue_events", sum(queued))
        put("joblens_subscriber_queue_events_max", max(queued, default=0))
        put("joblens_feeds", hub.feeds)
        put("joblens_feed_lag_seconds", hub.lag_seconds)
        self._registry.raise_to("joblens_live_events_total", hub.figures.events)

    def _copy_tasks(self) -> None:
        raise_to = self._registry.raise_to
        for task in self._tasks:
            raise_to("joblens_background_runs_total", task.runs, task.name)
            raise_to("joblens_background_failures_total", task.failures, task.name)
            if isinstance(task, Pruner):
                raise_to("joblens_pruned_jobs_total", task.deleted)
            if isinstance(task, Tallier):
                self._registry.set("joblens_tally_lag_seconds", monotonic() - task.done_at)

    def _copy_caches(self) -> None:
        for name, figures in self._caches.figures().items():
            self._registry.set("joblens_cache_entries", figures.entries, name)
            self._registry.raise_to(HITS, figures.hits, name)
            self._registry.raise_to(MISSES, figures.misses, name)


def _fallbacks() -> dict[str, int]:
    known = {reason: FALLBACKS[reason] for reason in (INTROSPECTION, SETTING)}
    return {**known, "field": FALLBACKS.total() - sum(known.values())}

"""What observes a process, as its settings want it. Without any, there is nothing to pay."""

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from db.background_task import BackgroundTask
from db.observation import Ended, observe_statements
from db.pool import FairPool
from resolvers.context import WatchLevel
from resolvers.live.hub import Hub
from server.limits.admission import AdmissionControl
from server.observability.caches import Caches
from server.observability.operations import Observer, Operations, current_operation
from server.observability.slow import SlowLog
from server.read_servers import ReadServers
from server.settings import Settings

if TYPE_CHECKING:
    from server.observability.metrics import Metrics as _Metrics
    from server.observability.traces import Traces as _Traces


class Observation:
    """Observes the operations and statements of one process. `metrics`: None if they are off."""

    def __init__(
        self,
        settings: Settings,
        servers: ReadServers,
        hub: Hub,
        caches: Caches,
        admission: AdmissionControl,
        tasks: Sequence[BackgroundTask],
    ) -> None:
        observers: list[Observer] = []
        self.metrics: _Metrics | None = None
        if settings.has_metrics:
            # Only here: without metrics their library is not loaded, nor that of traces below.
            from server.observability.metrics import Metrics  # noqa: PLC0415

            self.metrics = Metrics(settings, servers, hub, caches, admission, tasks)
            observers.append(self.metrics.measures)
        self._slow: SlowLog | None = None
        if (
            settings.slow_operation_seconds is not None
            or settings.slow_statement_seconds is not None
        ):
            self._slow = SlowLog(settings, servers.primary)
            observers.append(self._slow)
        self._traces: _Traces | None = None
        if settings.traces:
            from server.observability.traces import Traces  # noqa: PLC0415

            self._traces = Traces()
            observers.append(self._traces)
        self.operations = Operations(observers)
        if observers:
            for engine in servers.engines:
                observe_statements(engine, self._began)
                assert isinstance(engine.pool, FairPool)
                engine.pool.on_wait = _waited

    def start(self) -> None:
        """Start what runs in the background."""
        if self.metrics is not None:
            self.metrics.start()

    async def stop(self) -> None:
        """Stop it."""
        if self._slow is not None:
            await self._slow.stop()
        if self.metrics is not None:
            await self.metrics.stop()
        if self._traces is not None:
            await self._traces.stop()

    def trace_id(self) -> str | None:
        """Return the id of the current trace, as `traceparent` has it; None without traces."""
        return None if self._traces is None else self._traces.current_id()

    @property
    def watch_level(self) -> WatchLevel | None:
        """What is entered while a level of an operation waits for its fields."""
        if self._traces is None or not self._traces.is_recorded:
            return None
        return self._traces.level

    def _began(self, connection: Connection, sql: str) -> Ended:
        operation, began = current_operation(), perf_counter()
        span_ended = None if self._traces is None else self._traces.statement(sql)

        def ended(error: BaseException | None) -> None:
            seconds = perf_counter() - began
            if span_ended is not None:
                span_ended(error)
            if operation is not None:
                operation.sql += seconds
                operation.statements += 1
            if self.metrics is not None:
                self.metrics.measures.statement(seconds, error)
            if self._slow is not None:
                self._slow.statement(connection, sql, seconds, error)

        return ended


def _waited(seconds: float) -> None:
    operation = current_operation()
    if operation is not None:
        operation.waiting += seconds

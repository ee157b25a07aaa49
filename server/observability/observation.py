"""What observes a process, as its settings want it. Without any, there is nothing to pay."""

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from db.background_task import BackgroundTask
from db.engine import FairPool
from db.observation import Ended, observe_statements
from resolvers.live.hub import Hub
from schema.execution.documents import Rules
from server.limits.admission import AdmissionControl
from server.observability.operations import Observer, Operations, current_operation
from server.observability.slow import SlowLog
from server.read_servers import ReadServers
from server.settings import Settings

if TYPE_CHECKING:
    from server.observability.metrics import Metrics
    from server.observability.traces import Traces


class Observation:
    """Observes the operations and statements of one process. `metrics`: None if they are off."""

    def __init__(
        self,
        settings: Settings,
        servers: ReadServers,
        hub: Hub,
        rules: Rules,
        admission: AdmissionControl,
        tasks: Sequence[BackgroundTask],
    ) -> None:
        observers: list[Observer] = []
        self.metrics: Metrics | None = None
        if settings.has_metrics:
            self.metrics = _metrics(settings, servers, hub, rules, admission, tasks)
            observers.append(self.metrics.measures)
        self._slow: SlowLog | None = None
        if (
            settings.slow_operation_seconds is not None
            or settings.slow_statement_seconds is not None
        ):
            self._slow = SlowLog(settings, servers.primary)
            observers.append(self._slow)
        self._traces: Traces | None = None
        if settings.traces:
            self._traces = _traces()
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

    def trace_id(self) -> str | None:
        """Return the id of the current trace, as `traceparent` has it; None without traces."""
        return None if self._traces is None else self._traces.current_id()

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


def _metrics(
    settings: Settings,
    servers: ReadServers,
    hub: Hub,
    rules: Rules,
    admission: AdmissionControl,
    tasks: Sequence[BackgroundTask],
) -> "Metrics":
    # Only here: without metrics the library is not loaded.
    from server.observability.metrics import Metrics  # noqa: PLC0415

    return Metrics(settings, servers, hub, rules, admission, tasks)


def _traces() -> "Traces":
    # Only here: the library is an extra.
    from server.observability.traces import Traces  # noqa: PLC0415

    return Traces()


def _waited(seconds: float) -> None:
    operation = current_operation()
    if operation is not None:
        operation.waiting += seconds

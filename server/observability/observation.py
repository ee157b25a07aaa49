"""What observes a process, as its settings want it. Without any, there is nothing to pay."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from db.background_task import BackgroundTask
from db.observation import observe_statements
from db.pool import FairPool
from resolvers.context import WatchLevel
from resolvers.live.hub import Hub
from server.limits.admission import AdmissionControl
from server.observability.caches import Caches
from server.observability.operations import Operations
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
        self._engines = servers.engines
        self.operations = Operations()
        self.metrics: _Metrics | None = None
        if settings.has_metrics:
            # Only here: without metrics their library is not loaded, nor that of traces below.
            from server.observability.metrics import Metrics  # noqa: PLC0415

            self.metrics = Metrics(settings, servers, hub, caches, admission, tasks)
            self.operations.observe(self.metrics.measures)
        self._slow: SlowLog | None = None
        if (
            settings.slow_operation_seconds is not None
            or settings.slow_statement_seconds is not None
        ):
            self._slow = SlowLog(settings, servers.primary)
            self.operations.observe(self._slow)
        self._traces: _Traces | None = None
        if settings.traces:
            from server.observability.traces import Traces  # noqa: PLC0415

            self._traces = Traces()
        # The same, if spans are recorded.
        self._spans: _Traces | None = None

    def start(self) -> None:
        """Start to observe."""
        if self._traces is not None and self._traces.has_sdk:
            self._spans = self._traces
            self.operations.observe(self._spans)
        if self.operations.is_observed:
            for engine in self._engines:
                observe_statements(engine, self.operations.statement)
                assert isinstance(engine.pool, FairPool)
                engine.pool.on_wait = self.operations.waited
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
        spans = self._spans
        return None if spans is None or not spans.is_recorded else spans.level

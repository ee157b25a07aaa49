"""What observes a process, as its settings want it. Without any, there is nothing to pay."""

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from db.background_task import BackgroundTask
from db.engine import FairPool
from db.observation import Ended, observe_statements
from resolvers.live.hub import Hub
from schema.execution.documents import Rules
from server.limits.admission import AdmissionControl
from server.observability.operations import Observer, Operations, current_operation
from server.observability.slow import SlowLog
from server.settings import Settings

if TYPE_CHECKING:
    from server.observability.metrics import Metrics


class Observation:
    """Observes the operations and statements of one process. `metrics`: None if they are off."""

    def __init__(
        self,
        settings: Settings,
        engine: AsyncEngine,
        hub: Hub,
        rules: Rules,
        admission: AdmissionControl,
        tasks: Sequence[BackgroundTask],
    ) -> None:
        observers: list[Observer] = []
        self.metrics: Metrics | None = None
        if settings.has_metrics:
            self.metrics = _metrics(settings, engine, hub, rules, admission, tasks)
            observers.append(self.metrics.measures)
        self._slow: SlowLog | None = None
        if (
            settings.slow_operation_seconds is not None
            or settings.slow_statement_seconds is not None
        ):
            self._slow = SlowLog(settings, engine)
            observers.append(self._slow)
        self.operations = Operations(observers)
        if observers:
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

    def _began(self, connection: Connection, sql: str) -> Ended:
        operation, began = current_operation(), perf_counter()

        def ended(error: BaseException | None) -> None:
            seconds = perf_counter() - began
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
    engine: AsyncEngine,
    hub: Hub,
    rules: Rules,
    admission: AdmissionControl,
    tasks: Sequence[BackgroundTask],
) -> "Metrics":
    # Only here: without metrics the library is not loaded.
    from server.observability.metrics import Metrics  # noqa: PLC0415

    return Metrics(settings, engine, hub, rules, admission, tasks)


def _waited(seconds: float) -> None:
    operation = current_operation()
    if operation is not None:
        operation.waiting += seconds

"""The metrics of one process: written as operations end, and copied from what it counts."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from db.background_task import BackgroundTask
from resolvers.live.hub import Hub
from server.limits.admission import AdmissionControl
from server.observability.caches import Caches
from server.observability.ledger import LedgerFigures
from server.observability.measures import Counts, Measures
from server.observability.registry import Registry
from server.read_servers import ReadServers
from server.settings import Settings

# How often what a process counts is written for the others.
COPY_SECONDS = 1.0


class Metrics:
    """The metrics of one process, and those of all by its answers."""

    def __init__(
        self,
        settings: Settings,
        servers: ReadServers,
        hub: Hub,
        caches: Caches,
        admission: AdmissionControl,
        tasks: Sequence[BackgroundTask],
    ) -> None:
        self._registry = Registry()
        self.measures = Measures(self._registry)
        self._counts = Counts(self._registry, servers, hub, caches, admission, tasks)
        self._ledger = LedgerFigures(settings, servers.primary)
        self._copying: asyncio.Task[None] | None = None
        hub.figures.on_lag = self.measures.lag

    def start(self) -> None:
        """Start to copy."""
        self._copying = asyncio.create_task(self._copy_on())

    async def stop(self) -> None:
        """Stop that, and what reads."""
        await self._ledger.stop()
        self._write()
        if self._copying is not None:
            self._copying.cancel()
            with suppress(asyncio.CancelledError):
                await self._copying

    async def text(self, accept: str) -> tuple[bytes, str]:
        """Return the metrics of all processes as text, and its media type."""
        self._registry.readings = await self._ledger.read()
        self._write()
        return await asyncio.to_thread(self._registry.text, accept)

    def _write(self) -> None:
        self.measures.count()
        self._counts.copy()
        self._registry.write()

    async def _copy_on(self) -> None:
        while True:
            self._write()
            await asyncio.sleep(COPY_SECONDS)

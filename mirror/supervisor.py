"""Follows all queues of an organisation inside a process that serves."""

import asyncio
from contextlib import suppress
from uuid import UUID

from db.background_task import BackgroundTask
from db.facts.mirrored import list_mirrored
from db.session_scope import create_worker_engine, session_scope
from mirror.runner import Runner

# How often it is looked for sources that were added.
LOOK_SECONDS = 30.0


class Mirrors(BackgroundTask):
    """Runs a mirror for each source; of several processes one follows it, the others wait."""

    failure = "cannot look for queues to mirror"
    name = "mirror"

    def __init__(self, url: str, org_id: UUID) -> None:
        super().__init__(create_worker_engine(url), LOOK_SECONDS)
        self._url, self._org_id = url, org_id
        self._running: dict[str, asyncio.Task[None]] = {}

    async def work(self) -> bool:
        """Start the mirrors of sources that were added, and those that have ended."""
        async with session_scope(self._org_id, engine=self._engine) as session:
            names = [row.name for row in await list_mirrored(session, self._org_id)]
        for name in names:
            task = self._running.get(name)
            if task is None or task.done():
                runner = Runner(self._engine, self._url, self._org_id, name)
                self._running[name] = asyncio.create_task(runner.run())
        return False

    async def stop(self) -> None:
        """Stop all; what was not committed is copied by the next process."""
        for task in self._running.values():
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*self._running.values(), return_exceptions=True)
        await super().stop()

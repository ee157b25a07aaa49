"""Work that a process repeats in the background, on an engine of its own."""

import asyncio
import time
from abc import ABC, abstractmethod
from contextlib import suppress

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

# After an error, such as of a database that is not migrated, or read only.
RETRY_SECONDS = 30.0
# The first time it works this soon, so that a process that is often restarted works at all.
FIRST_SECONDS = 5.0

log = structlog.get_logger("joblens.background")


class BackgroundTask(ABC):
    """Works every `interval_seconds`, from `start` to `stop`.

    Errors are retried, after `retry_seconds` at least; of several in a row, one is logged as
    `failure`.
    """

    failure: str
    # Of metrics.
    name: str
    retry_seconds = RETRY_SECONDS

    def __init__(self, engine: AsyncEngine, interval_seconds: float) -> None:
        # How often it worked, and failed; and when it last began to work, and left nothing to do.
        self.runs, self.failures = 0, 0
        self.done_at = time.monotonic()
        self._engine = engine
        self._interval_seconds = interval_seconds
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def work(self) -> bool:
        """Work once; return whether there is more to do at once."""

    def start(self) -> None:
        """Start: after the first interval, or a few seconds if that is longer."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop; a transaction that has not committed is rolled back."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._engine.dispose()

    async def _run(self) -> None:
        wait = min(self._interval_seconds, FIRST_SECONDS)
        is_failing = False
        while True:
            await asyncio.sleep(wait)
            began_at = time.monotonic()
            self.runs += 1
            try:
                is_more = await self.work()
                wait = 0.0 if is_more else self._interval_seconds
                is_failing = False
                if not is_more:
                    self.done_at = began_at
            except Exception as error:  # noqa: BLE001 - any error is retried
                self.failures += 1
                if not is_failing:
                    log.warning(self.failure, reason=type(error).__name__)
                is_failing, wait = True, max(self._interval_seconds, self.retry_seconds)

"""Stops a request early: after its timeout, or when its client has disconnected."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from starlette.types import Receive

# Disconnects are watched for only after this: nearly all requests are done by then.
WATCH_AFTER_SECONDS = 0.1


class Deadline:
    """Calls `stop` after `seconds` or, given `receive`, when the client disconnects.

    A request that is done soon costs one timer.
    """

    __slots__ = ("_receive", "_stop", "_task", "_timer", "_until")

    def __init__(self, seconds: float, stop: Callable[[], None], receive: Receive | None) -> None:
        loop = asyncio.get_running_loop()
        self._stop = stop
        self._receive = receive
        self._until = loop.time() + seconds
        self._task: asyncio.Task[None] | None = None
        first = seconds if receive is None else min(seconds, WATCH_AFTER_SECONDS)
        self._timer = loop.call_later(first, stop if receive is None else self._start_watching)

    def end(self) -> None:
        """Cancel the deadline: the request is done."""
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _start_watching(self) -> None:
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        assert self._receive is not None
        # A failing `receive` counts as a disconnect.
        with suppress(Exception):
            async with asyncio.timeout_at(self._until):
                while (await self._receive())["type"] != "http.disconnect":  # noqa: ASYNC110
                    # Not every `receive` waits: this must not use up the processor.
                    await asyncio.sleep(WATCH_AFTER_SECONDS)
        self._stop()

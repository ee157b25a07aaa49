"""When a request is stopped before it is done: its time is up, or its client has gone."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from starlette.types import Receive

# Whether the client is still there is not asked before: nearly all requests are done by then.
LOOK_AFTER_SECONDS = 0.1


class Deadline:
    """Calls `stop` when a request has had its time or, where there is a `receive`, nobody waits.

    A request that is done soon costs one timer.
    """

    __slots__ = ("_receive", "_stop", "_task", "_timer", "_until")

    def __init__(self, seconds: float, stop: Callable[[], None], receive: Receive | None) -> None:
        loop = asyncio.get_running_loop()
        self._stop = stop
        self._receive = receive
        self._until = loop.time() + seconds
        self._task: asyncio.Task[None] | None = None
        first = seconds if receive is None else min(seconds, LOOK_AFTER_SECONDS)
        self._timer = loop.call_later(first, stop if receive is None else self._look)

    def end(self) -> None:
        """Say that the request is done."""
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _look(self) -> None:
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        assert self._receive is not None
        # Where it cannot be asked whether the client is there, it is not.
        with suppress(Exception):
            async with asyncio.timeout_at(self._until):
                while (await self._receive())["type"] != "http.disconnect":
                    pass
        self._stop()

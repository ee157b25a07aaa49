"""Does something at one of the points where a coroutine, or a task that it has begun, waits."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextvars import ContextVar
from typing import Any

_steps: ContextVar["Steps | None"] = ContextVar("steps", default=None)

# Tasks that only the end of the loop cancels. A cancel request to the server that is given up
# half-way can meet the connection's next statement.
_NEVER_CANCELLED = {
    "RequestSession._close",
    "RequestSession._cancel",
    # Of asyncpg, and of SQLAlchemy, which shields it.
    "Connection._cancel",
    "AsyncAdapt_asyncpg_connection._terminate_graceful_close",
}


class Steps:
    """Counts how often tasks wait; `at[n]` is called in the one that waits for the n-th time."""

    def __init__(self, at: dict[int, Callable[[], object]]) -> None:
        self._at = at
        self.taken = 0

    def take(self) -> None:
        self.taken += 1
        if self.taken in self._at:
            self._at[self.taken]()


class _Counted(Coroutine[Any, Any, Any]):
    """The coroutine of a task, which counts."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], steps: Steps) -> None:
        self._coroutine = coroutine
        self._steps = steps

    def send(self, value: Any) -> Any:
        waits_for = self._coroutine.send(value)
        self._steps.take()
        return waits_for

    def throw(self, *error: Any) -> Any:
        waits_for = self._coroutine.throw(*error)
        self._steps.take()
        return waits_for

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._coroutine.__await__()


def _task(loop: asyncio.AbstractEventLoop, coroutine: Any, **kwargs: Any) -> "asyncio.Task[Any]":
    steps = _steps.get()
    if steps is not None and coroutine.__qualname__ not in _NEVER_CANCELLED:
        coroutine = _Counted(coroutine, steps)
    return asyncio.Task(coroutine, loop=loop, **kwargs)


async def stepped(coroutine: Coroutine[Any, Any, Any], at: dict[int, Callable[[], object]]) -> int:
    """Run it in a task. Get how often was waited. What it raises but for being cancelled passes."""
    loop = asyncio.get_running_loop()
    before = loop.get_task_factory()
    steps = Steps(at)
    token = _steps.set(steps)
    loop.set_task_factory(_task)
    try:
        task = asyncio.create_task(coroutine)
    finally:
        _steps.reset(token)
    try:
        (end,) = await asyncio.gather(task, return_exceptions=True)
    finally:
        loop.set_task_factory(before)
    if isinstance(end, Exception):
        raise end
    return steps.taken


def cancel() -> None:
    """Cancel the task that waits now."""
    task = asyncio.current_task()
    assert task is not None
    task.cancel()

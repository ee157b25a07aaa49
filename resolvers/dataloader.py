"""The DataLoader of a request, whose keys are those of a whole level of the response."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import chain
from typing import Any

from aiodataloader import DataLoader

Keys = Sequence[Any]


class LevelLoader(DataLoader[Any, Any]):
    """A DataLoader whose key is a tuple of keys, and whose value has the answers to all of them.

    So a level of a response costs one future, however many objects it has. Levels that are loaded
    at the same time share a statement, and no key is loaded twice.
    """

    def __init__(self, batch: Callable[[Keys], Awaitable[Sequence[Any]]]) -> None:
        super().__init__(self._load_levels, cache=False)
        self._batch = batch
        self._answers: dict[Any, Any] = {}
        self._lock = asyncio.Lock()

    def load(self, key: Any) -> "asyncio.Future[Any]":
        """Return a future of the level's answers, a separate one for each caller.

        GraphQL cancels the siblings of a failed field, but not the same fields elsewhere.
        """
        value = super().load(key)
        value.add_done_callback(retrieve_exception)
        return asyncio.shield(value)

    async def _load_levels(self, levels: list[tuple[Any, ...]]) -> list[list[Any]]:
        answers = self._answers
        keys = dict.fromkeys(chain.from_iterable(levels))
        async with self._lock:
            if missing := [key for key in keys if key not in answers]:
                answers.update(zip(missing, await self._batch(missing), strict=True))
        return [[answers[key] for key in level] for level in levels]


def retrieve_exception(future: "asyncio.Future[Any]") -> None:
    """Mark a future's exception as retrieved, so that asyncio does not log it when unawaited."""
    if not future.cancelled():
        future.exception()

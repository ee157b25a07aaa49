"""DataLoader whose values survive the cancellation of one of their consumers."""

import asyncio
from typing import Any

from aiodataloader import DataLoader


class Loader(DataLoader[Any, Any]):
    """A DataLoader that several fields may await: cancelling one does not cancel the others.

    GraphQL cancels the siblings of a failed field, but not the same fields elsewhere.
    """

    def load(self, key: Any) -> "asyncio.Future[Any]":
        """Return a future of the key's value, a separate one for each caller."""
        value = super().load(key)
        value.add_done_callback(retrieve_exception)
        return asyncio.shield(value)


def retrieve_exception(future: "asyncio.Future[Any]") -> None:
    """Mark a future's exception as retrieved, so that asyncio does not log it when unawaited."""
    if not future.cancelled():
        future.exception()

"""Background tasks while a test runs them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from db.background_task import BackgroundTask
from tests.support.patience import PATIENCE_SECONDS


@asynccontextmanager
async def running(*tasks: BackgroundTask) -> AsyncIterator[None]:
    """Stop them also when a test fails: else they change what the next tests write."""
    for task in tasks:
        task.start()
    try:
        yield
    finally:
        for task in tasks:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await task.stop()


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again until it is so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await is_so():  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.01)

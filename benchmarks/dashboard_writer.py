"""Writes events of the ledger as workers do, at a rate, while a page is watched."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import create_engine
from joblens import JobRepository, NewJob, session_scope

TYPE = "benchmark.live"
# Without a rate: so many events in a transaction.
MANY = 500


@asynccontextmanager
async def write_events(
    url: str, org_id: UUID, rate: int, at_most: int | None = None
) -> AsyncIterator[asyncio.Task[None]]:
    """Write so many events a second until the end; with a rate of 0, as many as there can be.

    Yields the task of writing, which ends by itself after `at_most` events.
    """
    engine = create_engine(url)
    task = asyncio.create_task(_write(engine, org_id, rate, at_most))
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await engine.dispose()


async def _write(engine: AsyncEngine, org_id: UUID, rate: int, at_most: int | None) -> None:
    started = time.perf_counter()
    size = MANY if rate == 0 else 1
    count = 0
    while at_most is None or count < at_most:
        async with session_scope(org_id, engine=engine) as session:
            await JobRepository(session).create_many_jobs([NewJob(TYPE, queue="benchmark")] * size)
        count += size
        if rate:
            await asyncio.sleep(max(0, count / rate - (time.perf_counter() - started)))

"""Writes to the ledger as workers do: at a rate, while a page is watched, and a large payload."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import create_engine
from db.limits import MAX_JSON_BYTES
from joblens import JobRepository, JobStatus, NewJob, session_scope

TYPE = "benchmark.live"
# What a job is in turn.
TURNS = (JobStatus.RUNNING, JobStatus.FAILED, JobStatus.QUEUED)
# Without a rate: so many events in a transaction.
MANY = 500


@asynccontextmanager
async def write_events(
    url: str, org_id: UUID, rate: int, at_most: int | None = None
) -> AsyncIterator[asyncio.Task[None]]:
    """Write so many events a second until the end; with a rate of 0, as many as there can be.

    Yields the task of writing, which ends by itself after `at_most` events.
    """
    async with _writing(url, lambda engine: _create(engine, org_id, rate, at_most)) as task:
        yield task


@asynccontextmanager
async def write_turns(
    url: str, org_id: UUID, rate: int, new: NewJob, ids: Sequence[UUID]
) -> AsyncIterator[None]:
    """Write so many events a second: every second one creates such a job.

    The others change the jobs with these ids, all of which are queued.
    """
    async with _writing(url, lambda engine: _turn(engine, org_id, rate, new, ids)):
        yield


async def create_jobs(url: str, org_id: UUID, jobs: Sequence[NewJob]) -> list[UUID]:
    """Create jobs, and return their ids."""
    engine = create_engine(url)
    async with session_scope(org_id, engine=engine) as session:
        created = await JobRepository(session).create_many_jobs(jobs)
    await engine.dispose()
    return [each.job.id for each in created]


def large_job() -> NewJob:
    """Make a job with the largest payload that there can be."""
    entry = {"id": 10_000_000_000_000_001, "name": "a customer", "plan": {"tier": 3, "paid": True}}
    payload = [entry] * (MAX_JSON_BYTES // (len(orjson.dumps(entry)) + 1) - 1)
    return NewJob(TYPE, queue="benchmark", payload=payload)


@asynccontextmanager
async def _writing(
    url: str, write: Callable[[AsyncEngine], Coroutine[None, None, None]]
) -> AsyncIterator[asyncio.Task[None]]:
    engine = create_engine(url)
    task = asyncio.create_task(write(engine))
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await engine.dispose()


async def _create(engine: AsyncEngine, org_id: UUID, rate: int, at_most: int | None) -> None:
    started = time.perf_counter()
    size = MANY if rate == 0 else 1
    count = 0
    while at_most is None or count < at_most:
        async with session_scope(org_id, engine=engine) as session:
            await JobRepository(session).create_many_jobs([NewJob(TYPE, queue="benchmark")] * size)
        count += size
        if rate:
            await _keep_to(rate, count, started)


async def _turn(
    engine: AsyncEngine, org_id: UUID, rate: int, new: NewJob, ids: Sequence[UUID]
) -> None:
    started = time.perf_counter()
    for count in itertools.count():
        turn, is_new = divmod(count, 2)
        async with session_scope(org_id, engine=engine) as session:
            jobs = JobRepository(session)
            if is_new:
                await jobs.create_many_jobs([new])
            else:
                status = TURNS[turn // len(ids) % len(TURNS)]
                await jobs.update_job_status(ids[turn % len(ids)], status, by_operator=True)
        await _keep_to(rate, count + 1, started)


async def _keep_to(rate: int, count: int, started: float) -> None:
    await asyncio.sleep(max(0, count / rate - (time.perf_counter() - started)))

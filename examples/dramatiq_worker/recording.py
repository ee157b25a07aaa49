"""Records the runs of a job in Joblens: its start, its end, and what follows from a failure.

The ledger decides: whether a message still has a job to start, and whether and when to try again.
"""

import os
import platform
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import dramatiq
from dramatiq.asyncio import get_event_loop_thread
from sqlalchemy.ext.asyncio import AsyncSession

from joblens import (
    IllegalTransitionError,
    InvalidJobError,
    JobRepository,
    JobStatus,
    dispose,
    in_transaction,
)

ORG_ID = UUID(os.environ.get("ORG_ID", "00000000-0000-0000-0000-000000000001"))
WORKER = "dramatiq"
# Tells this process from others: who runs what.
PROCESS = f"{platform.node()}:{os.getpid()}"[:255]

Work = Callable[[Any], Awaitable[Any]]


class GivenUpError(Exception):
    """The job failed, and has no attempts left."""


class CloseLedger(dramatiq.Middleware):
    """Closes the worker's connections at its end; add it behind AsyncIO, whose loop has them."""

    def after_worker_shutdown(self, *_: object) -> None:
        thread = get_event_loop_thread()
        if thread is not None:
            thread.run_coroutine(dispose())


async def run_recorded(job_id: str, work: Work) -> None:
    """Start the job, do its work, and record what came of it.

    A job that is not queued any more is left alone: it was canceled, or another message started it.
    After a failure, raises dramatiq.Retry for when the job is due again, or GivenUpError. A result
    that the ledger cannot take is a failure, too.
    """
    job = await _start(UUID(job_id))
    if job is None:
        return
    try:
        result = await work(job)
    except Exception as error:
        raise await _fail(job, error) from error
    try:
        await _succeed(job, result)
    except InvalidJobError as error:
        raise await _fail(job, error) from error


async def _start(job_id: UUID) -> Any:
    async def work(session: AsyncSession) -> Any:
        repository = JobRepository(session, by=WORKER)
        if not await repository.job_exists(job_id):
            return None
        try:
            return await repository.update_job_status(job_id, JobStatus.RUNNING, worker=PROCESS)
        except IllegalTransitionError:
            return None

    return await in_transaction(ORG_ID, work)


async def _succeed(job: Any, result: Any) -> None:
    async def work(session: AsyncSession) -> None:
        try:
            await JobRepository(session, by=WORKER).update_job_status(
                job.id,
                JobStatus.SUCCEEDED,
                expected=JobStatus.RUNNING,
                attempt=job.attempt,
                result=result,
            )
        except IllegalTransitionError:
            # Canceled or given back while it ran; or this was committed, and is tried again.
            return

    await in_transaction(ORG_ID, work, idempotent=True)


async def _fail(job: Any, error: Exception) -> Exception:
    """Record a failure and what follows; get what tells Dramatiq of it."""
    delay_seconds = await _record_failure(job, error)
    if delay_seconds is None:
        return GivenUpError(str(error))
    return dramatiq.Retry(str(error), delay=round(delay_seconds * 1000))


async def _record_failure(job: Any, error: Exception) -> float | None:
    """Record a failure and what follows; get the seconds until the retry, None if there is none."""

    async def work(session: AsyncSession) -> float | None:
        repository = JobRepository(session, by=WORKER)
        try:
            failed = await repository.update_job_status(
                job.id,
                JobStatus.FAILED,
                expected=JobStatus.RUNNING,
                attempt=job.attempt,
                error_code=type(error).__name__,
                error_message=str(error),
            )
        except IllegalTransitionError:
            return None
        if failed.attempt >= failed.max_attempts:
            await repository.update_job_status(job.id, JobStatus.DEAD_LETTER)
            return None
        queued = await repository.update_job_status(job.id, JobStatus.QUEUED)
        if queued.scheduled_at is None:
            return 0
        wait: float = (queued.scheduled_at - datetime.now(UTC)).total_seconds()
        return max(0, wait)

    return await in_transaction(ORG_ID, work)

"""The work itself: an actor that counts the words of a file, and how jobs are handed to it."""

import asyncio
from pathlib import Path
from typing import Any

import dramatiq
from sqlalchemy.ext.asyncio import AsyncSession

from examples.dramatiq_worker.recording import ORG_ID, GivenUpError, run_recorded
from joblens import CreatedJob, JobRepository, in_transaction

COUNT_WORDS = "words.count"


# The ledger counts the attempts, so Dramatiq does not.
@dramatiq.actor(max_retries=None, throws=GivenUpError)
async def count_words(job_id: str) -> None:
    """Run a job of type COUNT_WORDS."""
    await run_recorded(job_id, _count_words)


async def submit(path: str, *, key: str | None = None, **options: Any) -> CreatedJob:
    """Record a job, then send its message. With a `key`, doing it twice makes one job."""

    async def work(session: AsyncSession) -> CreatedJob:
        return await JobRepository(session).create_job(
            COUNT_WORDS, idempotency_key=key, payload={"path": path}, **options
        )

    made = await in_transaction(ORG_ID, work, idempotent=key is not None)
    count_words.send(str(made.job.id))
    return made


async def send_due(limit: int = 100) -> int:
    """Send the messages of jobs that wait: after a crash, or an operator's retry; tell how many.

    A message too many does no harm: it finds its job started.
    """

    async def work(session: AsyncSession) -> list[str]:
        due = await JobRepository(session).get_queued_jobs(limit, type=COUNT_WORDS)
        return [str(job.id) for job in due]

    job_ids = await in_transaction(ORG_ID, work, idempotent=True)
    for job_id in job_ids:
        count_words.send(job_id)
    return len(job_ids)


async def _count_words(job: Any) -> dict[str, int]:
    text = await asyncio.to_thread(Path(job.payload["path"]).read_text)
    return {"words": len(text.split())}

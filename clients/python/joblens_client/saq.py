"""Records what SAQ does: `instrument(queue, recorder)`, in producers and in workers.

All changes of a job go through methods of its queue. They are replaced, by such as call them.
"""

import functools
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from saq import Job, Queue
from saq import Status as JobStatus

from joblens_client.facts import Fact, Status, now
from joblens_client.failures import last_part
from joblens_client.recorder import Recorder

_REMEMBERED = 1_000


def instrument(queue: Queue, recorder: Recorder) -> None:
    """Record the jobs of a queue that this process enqueues, runs or aborts."""
    recorder.kind = recorder.kind or "saq"
    reporter = _Reporter(queue.name, recorder)
    for name in ("enqueue", "update", "retry", "finish"):
        original = getattr(queue, name)
        setattr(queue, name, functools.partial(getattr(reporter, name), original))


class _Reporter:
    def __init__(self, queue: str, recorder: Recorder) -> None:
        self._queue, self._recorder = queue, recorder
        self._ended: deque[str] = deque(maxlen=_REMEMBERED)

    async def enqueue(
        self, original: Callable[..., Awaitable[Any]], job_or_func: Any, **kwargs: Any
    ) -> Any:
        ts = now()
        job = await original(job_or_func, **kwargs)
        if job is not None:
            due = datetime.fromtimestamp(job.scheduled, timezone.utc) if job.scheduled else None
            described = self._described(job)
            fact = Fact(_id(job), Status.QUEUED, ts, attempt=0, scheduled_at=due, **described)
            self._recorder.record(fact)
        return job

    async def update(
        self, original: Callable[..., Awaitable[Any]], job: Job, **kwargs: Any
    ) -> None:
        """Record a start, and wait for it: the run may kill its process."""
        await original(job, **kwargs)
        if kwargs.get("status") is JobStatus.ACTIVE:
            described, worker = self._described(job), job.worker_id
            fact = Fact(_id(job), Status.RUNNING, worker=worker, **described)
            await self._recorder.record_async(fact, wait=True)

    async def retry(
        self, original: Callable[..., Awaitable[Any]], job: Job, error: str | None
    ) -> None:
        ts, failure = now(), sys.exc_info()[1]
        delay = job.next_retry_delay()
        due = ts + timedelta(seconds=delay) if delay else None
        await original(job, error)
        reported = {"ts": ts, "scheduled_at": due, **_failure(failure, error)}
        self._recorder.record_failure(_id(job), failure, Status.QUEUED, **reported)

    async def finish(
        self, original: Callable[..., Awaitable[Any]], job: Job, status: Any, **kwargs: Any
    ) -> None:
        failure, error = sys.exc_info()[1], kwargs.get("error")
        await original(job, status, **kwargs)
        id_ = _id(job)
        if id_ in self._ended:
            # An aborted job is finished twice; one that ends meanwhile may be swept as a stuck one.
            return
        self._ended.append(id_)
        if status is JobStatus.COMPLETE:
            result = self._recorder.result(kwargs.get("result"))
            self._recorder.record(Fact(id_, Status.SUCCEEDED, result=result))
        elif status is JobStatus.FAILED:
            reported = _failure(failure, error)
            self._recorder.record_failure(id_, failure, Status.DEAD_LETTER, **reported)
        else:
            detail = {"reason": "aborted", "error": error}
            self._recorder.record(Fact(id_, Status.CANCELED, detail=detail))

    def _described(self, job: Job) -> dict[str, Any]:
        return {
            "type": job.function,
            "queue": self._queue,
            "max_attempts": max(job.retries, 1),
            "payload": self._recorder.payload(job.function, (), job.kwargs or {}),
        }


def _id(job: Job) -> str:
    """Return a name for one run of a key, which another job may have later, such as a cron's."""
    try:
        return str(UUID(job.key))
    except ValueError:
        return f"{job.key}:{job.queued}"


def _failure(error: BaseException | None, text: str | None) -> dict[str, Any]:
    """Describe a failure of which there is a text only: a job that was swept."""
    if error is not None:
        return {}
    return {"error_code": "Swept", "error_message": last_part(text or "")}

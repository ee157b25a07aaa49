"""Records what arq does: `instrument(recorder)` in producers, with their settings in workers.

Its hooks know neither functions nor outcomes. So the functions are wrapped, and `enqueue_job` is
replaced by one that calls it.
"""

import asyncio
import functools
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from arq.connections import ArqRedis
from arq.constants import default_queue_name
from arq.jobs import Job, JobStatus
from arq.worker import Retry, RetryJob, func

from joblens_client.facts import Fact, Status, now
from joblens_client.process import process_name
from joblens_client.recorder import Recorder

_INSTRUMENTED = "joblens_instrumented"
_DEFAULT_TRIES = 5
_running: ContextVar[str | None] = ContextVar("joblens_running", default=None)


def instrument(recorder: Recorder, settings: Any = None) -> None:
    """Record the jobs that this process enqueues and, given a worker's settings, runs.

    `settings`: the class that the command `arq` is given, or the worker's arguments.
    """
    recorder.kind = recorder.kind or "arq"
    if not hasattr(ArqRedis.enqueue_job, _INSTRUMENTED):
        setattr(ArqRedis, "enqueue_job", _enqueue_job(ArqRedis.enqueue_job, recorder))  # noqa: B010
    if settings is not None:
        _Worker(recorder, settings).instrument()


def _enqueue_job(original: Any, recorder: Recorder) -> Any:
    @functools.wraps(original)
    async def enqueue_job(self: Any, function: str, *args: Any, **kwargs: Any) -> Any:
        ts = now()
        job = await original(self, function, *args, **kwargs)
        if job is not None:
            given = {key: value for key, value in kwargs.items() if not key.startswith("_")}
            fact = Fact(
                job.job_id,
                Status.QUEUED,
                ts,
                attempt=0,
                type=function,
                queue=kwargs.get("_queue_name") or self.default_queue_name,
                scheduled_at=_due(ts, kwargs.get("_defer_until"), kwargs.get("_defer_by")),
                parent_external_id=_running.get(),
                payload=recorder.payload(function, args, given),
            )
            recorder.record(fact)
        return job

    setattr(enqueue_job, _INSTRUMENTED, True)
    return enqueue_job


class _Worker:
    def __init__(self, recorder: Recorder, settings: Any) -> None:
        self._recorder, self._settings = recorder, settings
        self._canceled: set[str] = set()

    def instrument(self) -> None:
        """Wrap the functions, and the hook that comes after a job."""
        self._set("functions", [self._wrapped(func(each)) for each in self._get("functions") or ()])
        self._set("cron_jobs", [self._wrapped(each) for each in self._get("cron_jobs") or ()])
        self._set("after_job_end", self._after_job_end(self._get("after_job_end")))

    def _get(self, name: str, default: Any = None) -> Any:
        if isinstance(self._settings, Mapping):
            return self._settings.get(name, default)
        return getattr(self._settings, name, default)

    def _set(self, name: str, value: Any) -> None:
        if isinstance(self._settings, MutableMapping):
            self._settings[name] = value
        else:
            setattr(self._settings, name, value)

    def _wrapped(self, function: Any) -> Any:
        tries = function.max_tries or self._get("max_tries", _DEFAULT_TRIES)
        original = function.coroutine

        @functools.wraps(original)
        async def run(ctx: Any, *args: Any, **kwargs: Any) -> Any:
            id_ = ctx["job_id"]
            _running.set(id_)
            fact = Fact(
                id_,
                Status.RUNNING,
                type=function.name,
                queue=self._queue,
                max_attempts=tries,
                worker=process_name(),
                payload=self._recorder.payload(function.name, args, kwargs),
            )
            try:
                await self._recorder.record_async(fact, wait=True)
                result = await original(ctx, *args, **kwargs)
            except asyncio.CancelledError:
                self._canceled.add(id_)
                raise
            except Exception as error:
                self._fail(id_, error, is_last=ctx["job_try"] >= tries)
                raise
            sent = self._recorder.result(result)
            self._recorder.record(Fact(id_, Status.SUCCEEDED, result=sent))
            return result

        return replace(function, coroutine=run)

    @property
    def _queue(self) -> str:
        return str(self._get("queue_name") or default_queue_name)

    def _fail(self, id_: str, error: Exception, *, is_last: bool) -> None:
        # Without a try left arq takes the job once more, and drops it without a word.
        is_retried = isinstance(error, (Retry, RetryJob)) and not is_last
        delay = getattr(error, "defer_score", None)
        due = now() + timedelta(milliseconds=delay) if is_retried and delay else None
        then = Status.QUEUED if is_retried else Status.DEAD_LETTER
        cause = error.__cause__ if isinstance(error, (Retry, RetryJob)) else None
        self._recorder.record_failure(id_, cause or error, then, scheduled_at=due)

    def _after_job_end(self, original: Any) -> Any:
        async def after_job_end(ctx: Any) -> None:
            if ctx["job_id"] in self._canceled:
                self._canceled.discard(ctx["job_id"])
                await self._end_canceled(ctx)
            if original is not None:
                await original(ctx)

        return after_job_end

    async def _end_canceled(self, ctx: Any) -> None:
        """Record what a cancellation was: an abort, the job's timeout, or the worker's end."""
        job = Job(ctx["job_id"], ctx["redis"], self._queue)
        info = await job.result_info()
        if info is not None and not isinstance(info.result, asyncio.CancelledError):
            self._recorder.record_failure(job.job_id, info.result, Status.DEAD_LETTER)
        elif info is None and await job.status() in {JobStatus.queued, JobStatus.deferred}:
            detail = {"reason": "its worker was stopped"}
            self._recorder.record(Fact(job.job_id, Status.QUEUED, detail=detail))
        else:
            fact = Fact(job.job_id, Status.CANCELED, detail={"reason": "aborted"})
            self._recorder.record(fact)


def _due(ts: datetime, until: datetime | None, by: Any) -> datetime | None:
    if until is not None:
        return until.astimezone()
    if by is None:
        return None
    return ts + (by if isinstance(by, timedelta) else timedelta(seconds=by))

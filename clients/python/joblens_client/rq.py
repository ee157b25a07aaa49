"""Records what RQ does: `instrument(recorder)`, in producers and in workers.

RQ has hooks for single jobs only. So methods of its classes are replaced, by such as call them.
Workers load the module that calls it by `rq worker -c MODULE`.
"""

import functools
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from rq import Queue, SimpleWorker, Worker
from rq.job import Job
from rq.registry import FailedJobRegistry, StartedJobRegistry

from joblens_client.facts import Fact, Status, now
from joblens_client.failures import code_of, last_part
from joblens_client.recorder import Recorder

# An attribute of a job that is scheduled again: when it is due.
_DUE = "joblens_due"
_INSTRUMENTED = "joblens_instrumented"


def instrument(recorder: Recorder) -> None:
    """Record the jobs that this process, and those that it forks, enqueue or run."""
    if hasattr(Queue, _INSTRUMENTED):
        return
    setattr(Queue, _INSTRUMENTED, True)
    recorder.kind = recorder.kind or "rq"
    reporter = _Reporter(recorder)
    _replace(Queue, "enqueue_job", reporter.enqueue)
    _replace(Queue, "schedule_job", reporter.schedule)
    _replace(Queue, "enqueue_many", reporter.enqueue_many)
    _replace(Queue, "run_job", reporter.run_at_once)
    _replace(Job, "cancel", reporter.cancel)
    _replace(FailedJobRegistry, "requeue", reporter.requeue)
    _replace(StartedJobRegistry, "cleanup", reporter.clean_up)
    for worker in (Worker, SimpleWorker):
        _replace(worker, "prepare_job_execution", reporter.start)
        _replace(worker, "handle_job_success", reporter.succeed)
        _replace(worker, "handle_job_failure", reporter.fail)
        _replace(worker, "handle_job_retry", reporter.fail)
        _replace(worker, "perform_job", reporter.perform)


def _replace(kind: type, name: str, by: Callable[..., Any]) -> None:
    """Replace a method, in the class that has it, by one that gets it as its first argument."""
    owner: Any = next((each for each in kind.__mro__ if name in vars(each)), None)
    if owner is None or hasattr(vars(owner)[name], _INSTRUMENTED):
        return
    original = vars(owner)[name]

    @functools.wraps(original)
    def replaced(self: Any, *args: Any, **kwargs: Any) -> Any:
        return by(functools.partial(original, self), self, *args, **kwargs)

    setattr(replaced, _INSTRUMENTED, True)
    setattr(owner, name, replaced)


@dataclass(frozen=True)
class _Reporter:
    recorder: Recorder

    def enqueue(self, original: Any, queue: Any, job: Any, *args: Any, **kwargs: Any) -> Any:
        fact = self._queued(job, queue.name)
        is_at_once = not getattr(queue, "is_async", getattr(queue, "_is_async", True))
        if is_at_once:
            self.recorder.record(fact)
        done = original(job, *args, **kwargs)
        if not is_at_once:
            self.recorder.record(fact)
        return done

    def schedule(
        self, original: Any, queue: Any, job: Any, datetime: datetime, *args: Any, **kwargs: Any
    ) -> Any:
        fact = self._queued(job, queue.name)
        done = original(job, datetime, *args, **kwargs)
        if job.started_at is None:
            self.recorder.record(replace(fact, scheduled_at=_utc(datetime)))
        else:
            setattr(job, _DUE, _utc(datetime))  # a retry or a repetition, which is reported later
        return done

    def enqueue_many(self, original: Any, queue: Any, *args: Any, **kwargs: Any) -> Any:
        ts = now()
        jobs = original(*args, **kwargs)
        for job in jobs:
            self.recorder.record(replace(self._queued(job, queue.name), ts=ts))
        return jobs

    def run_at_once(self, original: Any, queue: Any, job: Any) -> Any:
        """Record a run of a queue that is not asynchronous."""
        self.recorder.record(self._described(job, Status.RUNNING))
        try:
            done = original(job)
        except BaseException as error:
            self.recorder.record_failure(job.id, error, Status.DEAD_LETTER)
            raise
        self._record_success(job)
        return done

    def cancel(self, original: Any, job: Any, *args: Any, **kwargs: Any) -> Any:
        done = original(*args, **kwargs)
        self.recorder.record(Fact(job.id, Status.CANCELED, detail={"reason": "canceled"}))
        return done

    def requeue(
        self, original: Any, registry: Any, job_or_id: Any, *args: Any, **kwargs: Any
    ) -> Any:
        ts = now()
        job = original(job_or_id, *args, **kwargs)
        self.recorder.record(Fact(job.id, Status.QUEUED, ts, detail={"reason": "requeued"}))
        return job

    def clean_up(
        self,
        original: Any,
        registry: Any,
        timestamp: Any = None,
        exception_handlers: list[Any] | None = None,
    ) -> Any:
        """Record the jobs of workers that have vanished."""
        return original(timestamp, [self._abandoned, *(exception_handlers or [])])

    def start(self, original: Any, worker: Any, job: Any, *args: Any, **kwargs: Any) -> Any:
        done = original(job, *args, **kwargs)
        fact = self._described(job, Status.RUNNING, queue=job.origin, worker=worker.name)
        self.recorder.record(fact, wait=True)
        return done

    def succeed(self, original: Any, worker: Any, job: Any, *args: Any, **kwargs: Any) -> Any:
        done = original(job, *args, **kwargs)
        self._record_success(job)
        if _status(job) in {"scheduled", "queued"}:
            due = getattr(job, _DUE, None)
            detail = {"reason": "repeats"}
            self.recorder.record(Fact(job.id, Status.QUEUED, scheduled_at=due, detail=detail))
        return done

    def fail(self, original: Any, worker: Any, job: Any, *args: Any, **kwargs: Any) -> Any:
        ts, error = now(), sys.exc_info()[1]
        done = original(job, *args, **kwargs)
        status = _status(job)
        if status == "stopped":
            self.recorder.record(Fact(job.id, Status.CANCELED, detail={"reason": "stopped"}))
            return done
        is_retried = status in {"queued", "scheduled"}
        reported: dict[str, Any] = {} if error is not None else _lost(kwargs.get("exc_string"))
        reported["scheduled_at"] = getattr(job, _DUE, None) if is_retried else None
        then = Status.QUEUED if is_retried else Status.DEAD_LETTER
        self.recorder.record_failure(job.id, error, then, ts=ts, **reported)
        return done

    def perform(self, original: Any, worker: Any, *args: Any, **kwargs: Any) -> Any:
        """Send what is left: a work horse ends without Python's exit handlers."""
        try:
            return original(*args, **kwargs)
        finally:
            if worker.is_horse:
                self.recorder.flush()

    def _abandoned(self, job: Any, kind: Any, error: Any, traceback: Any) -> None:
        then = Status.QUEUED if job.retries_left else Status.DEAD_LETTER
        reported: dict[str, Any] = {
            "error_code": code_of(error),
            "error_message": "The worker of the job has vanished.",
        }
        self.recorder.record_failure(job.id, None, then, **reported)

    def _queued(self, job: Any, queue: str) -> Fact:
        fact = self._described(job, Status.QUEUED, queue=queue, attempt=0)
        parents = list(getattr(job, "_dependency_ids", None) or ())
        return replace(fact, parent_external_id=parents[0] if parents else None)

    def _described(self, job: Any, status: Status, **reported: Any) -> Fact:
        type_, payload = None, None
        with suppress(Exception):  # it can't be read without the code of the job
            type_ = job.func_name
            payload = self.recorder.payload(type_, job.args or (), job.kwargs or {})
        if job.retries_left is not None and status is Status.QUEUED:
            reported["max_attempts"] = job.retries_left + 1
        batch = getattr(job, "group_id", None)
        return Fact(job.id, status, type=type_, payload=payload, batch=batch, **reported)

    def _record_success(self, job: Any) -> None:
        result = self.recorder.result(getattr(job, "_result", None))
        self.recorder.record(Fact(job.id, Status.SUCCEEDED, result=result))


def _status(job: Any) -> str:
    status = job.get_status(refresh=False)
    return str(getattr(status, "value", status))


def _lost(text: Any) -> dict[str, Any]:
    """Describe the end of a process that had a job, or of a job that asked for a retry."""
    if not text:
        return {"error_code": "Retry"}
    return {"error_code": "WorkHorseKilled", "error_message": last_part(str(text))}


def _utc(time: datetime) -> datetime:
    """Return the time in UTC; RQ takes one without a zone as local."""
    return time.astimezone(timezone.utc)

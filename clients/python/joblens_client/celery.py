"""Records what Celery's signals tell: `instrument(app, recorder)`, once for each process's app.

Producers tell what they publish; the worker's main process what it holds back, drops or loses; its
children what they run. What Celery doesn't tell is in the docs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import local
from typing import Any

import celery
from celery import signals
from celery.exceptions import Reject

from joblens_client.facts import Fact, Status, now
from joblens_client.failures import last_part
from joblens_client.recorder import Recorder

# It asks again and again whether a chord's tasks are done, where the result backend can't tell.
_INTERNAL = frozenset({"celery.chord_unlock"})
_REDIS = ("redis://", "rediss://", "redis+", "sentinel://")
# Set at the request of a task that has published itself again: that run has no other end.
_ENDED = "joblens_ended"
# When the retry of a request was published: another child may have started it since.
_RETRIED = "joblens_retried"


def instrument(app: celery.Celery, recorder: Recorder) -> None:
    """Record the tasks of an app, in this process and in those that it forks."""
    recorder.kind = recorder.kind or "celery"
    handlers = _Signals(app, recorder)
    connected: Mapping[Any, Callable[..., None]] = {
        signals.before_task_publish: handlers.before_publish,
        signals.after_task_publish: handlers.published,
        signals.task_received: handlers.received,
        signals.task_revoked: handlers.revoked,
        signals.task_unknown: handlers.unknown,
        signals.task_prerun: handlers.started,
        signals.task_success: handlers.succeeded,
        signals.task_retry: handlers.retried,
        signals.task_failure: handlers.failed,
        signals.task_postrun: handlers.ended,
        signals.worker_process_shutdown: handlers.flush,
        signals.worker_shutdown: handlers.flush,
    }
    for signal, receiver in connected.items():
        signal.connect(receiver, weak=False, dispatch_uid=f"joblens {receiver.__name__}")


@dataclass(frozen=True)
class _Signals:
    app: celery.Celery
    recorder: Recorder
    _publishing: local = field(default_factory=local)

    def before_publish(self, **given: Any) -> None:
        """Note what is published, and since when: a worker may start it before it is recorded."""
        self._publishing.fact = self._published(**given)

    def published(self, headers: Mapping[str, Any] | None = None, **_: Any) -> None:
        """Record what the broker has taken."""
        fact: Fact | None = getattr(self._publishing, "fact", None)
        self._publishing.fact = None
        if fact is not None and headers and headers.get("id") == fact.external_id:
            self.recorder.record(fact)

    def _published(
        self,
        sender: Any = None,
        body: Any = None,
        headers: Mapping[str, Any] | None = None,
        properties: Mapping[str, Any] | None = None,
        routing_key: str | None = None,
        **_: Any,
    ) -> Fact | None:
        # Without an id among the headers it has the old protocol of Celery 3.
        reported = headers or {}
        if "id" not in reported or reported.get("task") in _INTERNAL:
            return None
        running = _running_request(reported["id"])
        if reported.get("retries"):
            if running is not None:
                setattr(running, _RETRIED, now())
            return None  # the signal of the retry reports it, later
        if running is not None:
            setattr(running, _ENDED, True)  # the task replaces itself
        args, kwargs = body[:2] if isinstance(body, (tuple, list)) else ((), {})
        type_ = str(reported.get("shadow") or reported.get("task") or sender)
        return Fact(
            reported["id"],
            Status.QUEUED,
            attempt=0 if running is None else None,
            queue=routing_key,
            priority=self._priority(properties or {}),
            scheduled_at=_time(reported.get("eta")),
            **self._described(type_, args, kwargs, reported),
        )

    def _described(
        self, type_: str, args: Any, kwargs: Any, reported: Mapping[str, Any]
    ) -> dict[str, Any]:
        task = self.app.tasks.get(reported.get("task"))
        retries = getattr(task, "max_retries", None)
        detail = {
            name: reported[name] for name in ("root_id", "expires", "origin") if reported.get(name)
        }
        return {
            "type": type_,
            "parent_external_id": reported.get("parent_id"),
            "batch": reported.get("group"),
            "max_attempts": None if retries is None else retries + 1,
            "payload": self.recorder.payload(type_, args, kwargs),
            "detail": detail or None,
        }

    def _priority(self, properties: Mapping[str, Any]) -> int | None:
        """Return the priority; jobs with a higher one run first in Joblens, not with Redis."""
        priority = properties.get("priority")
        if not isinstance(priority, int):
            return None
        url = self.app.conf.broker_write_url or self.app.conf.broker_url or ""
        return -priority if str(url).startswith(_REDIS) else priority

    def received(self, request: Any, **_: Any) -> None:
        """Record a task that a worker holds until its time: its producer may not have."""
        if request.name in _INTERNAL or not request.eta or request.request_dict.get("retries"):
            return
        reported = request.request_dict
        fact = Fact(
            request.id,
            Status.QUEUED,
            attempt=0,
            is_exact=False,
            queue=_queue(request.delivery_info),
            scheduled_at=_time(request.eta),
            **self._described(request.name, request.args, request.kwargs, reported),
        )
        self.recorder.record(fact)

    def started(self, task_id: str, task: Any, args: Any, kwargs: Any, **_: Any) -> None:
        """Record a start, and wait for it: the run may kill its process."""
        if task.name in _INTERNAL:
            return
        request = task.request
        reported = {"task": task.name, "parent_id": request.parent_id, "group": request.group}
        type_ = request.shadow or task.name
        described = self._described(type_, args, kwargs, reported)
        described["detail"] = _run_detail(request) or None
        queue, worker = _queue(request.delivery_info), request.hostname
        fact = Fact(task_id, Status.RUNNING, queue=queue, worker=worker, **described)
        self.recorder.record(fact, wait=not request.is_eager)

    def succeeded(self, sender: Any, result: Any = None, **_: Any) -> None:
        """Record a success."""
        if sender.name in _INTERNAL:
            return
        sent = self.recorder.result(result)
        self.recorder.record(Fact(sender.request.id, Status.SUCCEEDED, result=sent))

    def retried(self, request: Any, reason: Any, **_: Any) -> None:
        """Record a failure after which the task will run again."""
        if request.task in _INTERNAL:
            return
        error = getattr(reason, "exc", None)
        reported: dict[str, Any] = {
            "ts": getattr(request, _RETRIED, None),
            "scheduled_at": _time(getattr(reason, "when", None)),
        }
        if error is None:
            reported |= {"error_code": "Retry", "error_message": str(reason.message or "")}
        self.recorder.record_failure(request.id, error, Status.QUEUED, **reported)

    def failed(
        self, sender: Any, task_id: str, exception: Any, einfo: Any = None, **_: Any
    ) -> None:
        """Record a failure for good, also of a child that was lost."""
        if sender.name in _INTERNAL or isinstance(exception, Reject):
            return  # `ended` reports a Reject, also with a Celery that sends no signal for it
        reported: dict[str, Any] = {}
        text = getattr(einfo, "traceback", None)
        if exception.__traceback__ is None and isinstance(text, str):
            reported["detail"] = {"traceback": last_part(text)}
        self.recorder.record_failure(task_id, exception, Status.DEAD_LETTER, **reported)

    def ended(
        self, task_id: str, task: Any, state: str | None = None, retval: Any = None, **_: Any
    ) -> None:
        """Record the end of a run that asked Celery not to record it."""
        if task.name in _INTERNAL or getattr(task.request, _ENDED, False):
            return
        if state == "IGNORED":
            self.recorder.record(Fact(task_id, Status.CANCELED, detail={"reason": "ignored"}))
        elif state == "REJECTED":
            again = Status.QUEUED if getattr(retval, "requeue", False) else Status.DEAD_LETTER
            reason = str(getattr(retval, "reason", None) or "")
            reported: dict[str, Any] = {"error_code": "Reject", "error_message": reason}
            self.recorder.record_failure(task_id, None, again, **reported)

    def revoked(
        self,
        request: Any,
        terminated: bool = False,
        signum: Any = None,
        expired: bool = False,
        **_: Any,
    ) -> None:
        """Record that a task was dropped, because of a wish or its age, or stopped."""
        reason = "expired" if expired else "terminated" if terminated else "revoked"
        detail = {"reason": reason} | ({"signal": str(signum)} if signum else {})
        self.recorder.record(Fact(request.id, Status.CANCELED, detail=detail))

    def unknown(self, name: str, id: str, exc: Any = None, **_: Any) -> None:  # noqa: A002
        """Record a message that the worker has no task for, and drops."""
        fact = Fact(id, Status.QUEUED, attempt=0, is_exact=False, type=name)
        self.recorder.record(fact)
        self.recorder.record(
            Fact(id, Status.DEAD_LETTER, error_code="NotRegistered", error_message=str(exc or name))
        )

    def flush(self, **_: Any) -> None:
        """Send what is left: children of a pool end without Python's exit handlers."""
        self.recorder.flush()


def _running_request(task_id: Any) -> Any:
    task = celery.current_task
    if not task or task.request.id != task_id:
        return None
    return task.request


def _run_detail(request: Any) -> dict[str, Any]:
    detail: dict[str, Any] = {}
    if request.is_eager:
        detail["eager"] = True
    if (request.delivery_info or {}).get("redelivered"):
        detail["redelivered"] = True
    if request.retries:
        detail["retries"] = request.retries
    return detail


def _queue(delivery: Mapping[str, Any] | None) -> str | None:
    key = (delivery or {}).get("routing_key")
    return key if isinstance(key, str) else None


def _time(value: Any) -> datetime | None:
    """Return a due time, which Celery has as a time, its text, or seconds from now."""
    if isinstance(value, (int, float)):
        return now() + timedelta(seconds=value)
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            return None
    return value if isinstance(value, datetime) else None

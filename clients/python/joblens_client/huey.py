"""Records what Huey's signals tell: `instrument(huey, recorder)`, in producers and consumers."""

import sys
from datetime import datetime, timezone
from threading import local
from typing import Any

from huey import signals
from huey.api import Huey, PeriodicTask

from joblens_client.facts import Fact, Status, now
from joblens_client.process import process_name
from joblens_client.recorder import Recorder

_NAME = "joblens"
# Of a run that ends without its result; how, depends on the retries that are left.
_FAILED = (
    signals.SIGNAL_ERROR,
    *(signals.SIGNAL_LOCKED, signals.SIGNAL_CANCELED),
    *(getattr(signals, name, "") for name in ("SIGNAL_TIMEOUT", "SIGNAL_RATE_LIMITED")),
)
_DROPPED = (signals.SIGNAL_REVOKED, signals.SIGNAL_EXPIRED)


def instrument(huey: Huey, recorder: Recorder) -> None:
    """Record the tasks of a Huey, in this process and in those that it forks."""
    recorder.kind = recorder.kind or "huey"
    handlers = _Signals(huey, recorder)
    huey.signal(signals.SIGNAL_ENQUEUED)(handlers.enqueued)
    huey.signal(signals.SIGNAL_SCHEDULED)(handlers.scheduled)
    huey.signal(signals.SIGNAL_EXECUTING)(handlers.executing)
    huey.signal(*filter(None, _FAILED))(handlers.failed)
    huey.signal(signals.SIGNAL_RETRYING)(handlers.retrying)
    huey.signal(*_DROPPED)(handlers.dropped)
    huey.signal(signals.SIGNAL_INTERRUPTED)(handlers.interrupted)
    # The signal of a success does not have the result.
    huey.post_execute(_NAME)(handlers.ended)
    # A worker may be a process that ends without Python's exit handlers.
    huey.on_shutdown(_NAME)(handlers.flush)


class _Signals:
    def __init__(self, huey: Huey, recorder: Recorder) -> None:
        self._huey, self._recorder = huey, recorder
        self._running = local()

    def enqueued(self, signal: str, task: Any) -> None:
        """Record a new task, one whose time has come, or one that is run again at once."""
        if self._retried(task):
            return
        eta = self._utc(task.eta)
        parent = getattr(self._running, "id", None)
        fact = Fact(
            task.id,
            Status.QUEUED,
            attempt=0,
            # The scheduler enqueues it again; the producer's fact is the exact one.
            is_exact=None if eta is None or eta > now() else False,
            scheduled_at=eta,
            parent_external_id=parent if parent != task.id else None,
            max_attempts=task.retries + 1,
            **self._described(task),
        )
        self._recorder.record(fact)

    def scheduled(self, signal: str, task: Any) -> None:
        """Record a task that is held until its time: its producer may not have."""
        if self._retried(task):
            return
        described, eta = self._described(task), self._utc(task.eta)
        fact = Fact(
            task.id, Status.QUEUED, attempt=0, is_exact=False, scheduled_at=eta, **described
        )
        self._recorder.record(fact)

    def executing(self, signal: str, task: Any) -> None:
        """Record a start, and wait for it: the run may kill its process."""
        self._running.error = None
        # Immediate mode runs it in the thread of its producer.
        self._running.id = None if self._huey.immediate else task.id
        described = self._described(task)
        fact = Fact(task.id, Status.RUNNING, worker=process_name(), **described)
        self._recorder.record(fact, wait=True)

    def failed(self, signal: str, task: Any, *_: Any) -> None:
        """Record a failure for good; note one after which it will be retried."""
        error = sys.exc_info()[1]
        if task.retries:
            self._running.error = error
        elif signal == signals.SIGNAL_CANCELED:
            self._recorder.record(Fact(task.id, Status.CANCELED, detail={"reason": signal}))
        else:
            self._recorder.record_failure(task.id, error, Status.DEAD_LETTER)

    def retrying(self, signal: str, task: Any) -> None:
        """Note that it will be enqueued or scheduled next, which tells when it is due."""
        self._running.retried = task.id

    def dropped(self, signal: str, task: Any) -> None:
        """Record a task that was not run: it was revoked, or is too old."""
        self._recorder.record(Fact(task.id, Status.CANCELED, detail={"reason": signal}))

    def interrupted(self, signal: str, task: Any) -> None:
        """Record a run that its consumer's end has ended: Huey does not repeat it."""
        reported: dict[str, Any] = {
            "error_code": "Interrupted",
            "error_message": "The consumer was stopped.",
        }
        self._recorder.record_failure(task.id, None, Status.DEAD_LETTER, **reported)

    def ended(self, task: Any, value: Any, error: BaseException | None) -> None:
        """Record a success."""
        if error is None:
            result = self._recorder.result(value)
            self._recorder.record(Fact(task.id, Status.SUCCEEDED, result=result))

    def flush(self) -> None:
        """Send what is left."""
        self._recorder.flush()

    def _retried(self, task: Any) -> bool:
        if getattr(self._running, "retried", None) != task.id:
            return False
        self._running.retried = None
        error, self._running.error = getattr(self._running, "error", None), None
        reported: dict[str, Any] = {} if error is not None else {"error_code": "RetryTask"}
        due = self._utc(task.eta)
        self._recorder.record_failure(task.id, error, Status.QUEUED, scheduled_at=due, **reported)
        return True

    def _described(self, task: Any) -> dict[str, Any]:
        type_ = f"{task.__module__}.{task.name}"
        chord = getattr(task, "chord_config", None)
        return {
            "type": type_,
            "queue": self._huey.name,
            "priority": task.priority,
            "requested_by": "periodic" if isinstance(task, PeriodicTask) else None,
            "batch": None if chord is None else chord.cid,
            "payload": self._recorder.payload(type_, task.args, task.kwargs),
        }

    def _utc(self, time: datetime | None) -> datetime | None:
        if time is None or time.tzinfo is not None:
            return time
        return time.replace(tzinfo=timezone.utc) if self._huey.utc else time.astimezone()

"""Records what Taskiq tells a middleware: `broker.add_middlewares(JoblensMiddleware(recorder))`.

It is added last: failures must reach it before a retry sends the task again.
"""

from contextvars import ContextVar
from datetime import datetime
from typing import Any

from taskiq import TaskiqMessage, TaskiqMiddleware, TaskiqResult
from taskiq.exceptions import NoResultError

from joblens_client.facts import Fact, Status, now
from joblens_client.process import process_name
from joblens_client.recorder import Recorder

_sending: ContextVar[datetime | None] = ContextVar("joblens_sending", default=None)
_running: ContextVar[str | None] = ContextVar("joblens_running", default=None)
_REQUEUED = "X-Taskiq-requeue"


class JoblensMiddleware(TaskiqMiddleware):
    """Records the tasks of a broker."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        recorder.kind = recorder.kind or "taskiq"
        self._recorder = recorder
        self._failed: dict[str, tuple[BaseException, datetime]] = {}

    def pre_send(self, message: TaskiqMessage) -> TaskiqMessage:
        """Note the time: a worker may start the task before it is recorded."""
        _sending.set(now())
        return message

    def post_send(self, message: TaskiqMessage) -> None:
        """Record a new task, or a failure after which it will be run again."""
        ts, id_ = _sending.get() or now(), message.task_id
        if (failed := self._failed.pop(id_, None)) is not None:
            error, ts = failed
            self._recorder.record_failure(id_, error, Status.QUEUED, ts=ts)
        elif not int(message.labels.get("_retries", 0)):
            parent = _running.get()
            detail = {"delay": message.labels["delay"]} if "delay" in message.labels else None
            fact = Fact(
                id_,
                Status.QUEUED,
                ts,
                attempt=0,
                parent_external_id=parent if parent != id_ else None,
                detail=detail,
                **self._described(message),
            )
            self._recorder.record(fact)

    async def pre_execute(self, message: TaskiqMessage) -> TaskiqMessage:
        """Record a start, and wait for it: the run may kill its process."""
        _running.set(message.task_id)
        described = self._described(message)
        fact = Fact(message.task_id, Status.RUNNING, worker=process_name(), **described)
        await self._recorder.record_async(fact, wait=True)
        return message

    def on_error(
        self, message: TaskiqMessage, result: TaskiqResult[Any], exception: BaseException
    ) -> None:
        """Note a failure. What it leads to is known later."""
        self._failed[message.task_id] = exception, now()

    def post_execute(self, message: TaskiqMessage, result: TaskiqResult[Any]) -> None:
        """Record the end of a run, unless a retry has been sent already."""
        id_ = message.task_id
        error, ts = self._failed.pop(id_, (None, None))
        is_silent = isinstance(result.error, NoResultError)
        if isinstance(error, NoResultError):
            is_requeued = _REQUEUED in message.labels
            status = Status.QUEUED if is_requeued else Status.SUCCEEDED
            self._recorder.record(Fact(id_, status))
        elif error is not None:
            then = Status.QUEUED if is_silent else Status.DEAD_LETTER
            self._recorder.record_failure(id_, error, then, ts=ts)
        elif not result.is_err:
            sent = self._recorder.result(result.return_value)
            self._recorder.record(Fact(id_, Status.SUCCEEDED, result=sent))

    def shutdown(self) -> None:
        """Send what is left."""
        self._recorder.flush()

    def _described(self, message: TaskiqMessage) -> dict[str, Any]:
        queue = message.labels.get("queue_name") or getattr(self.broker, "queue_name", None)
        return {
            "type": message.task_name,
            "queue": queue,
            "max_attempts": self._max_attempts(message.labels),
            "payload": self._recorder.payload(message.task_name, message.args, message.kwargs),
        }

    def _max_attempts(self, labels: dict[str, Any]) -> int | None:
        for each in self.broker.middlewares:
            count = getattr(each, "default_retry_count", None)
            if count is not None:
                wanted = labels.get("retry_on_error", getattr(each, "default_retry_label", False))
                is_retried = str(wanted).lower() == "true"
                return max(int(labels.get("max_retries", count)), 1) if is_retried else 1
        return 1

"""Records what Dramatiq tells a middleware: `broker.add_middleware(JoblensMiddleware(recorder))`.

It is added last: failures must reach it before Retries enqueues the message again.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from threading import local
from typing import Any

import dramatiq
from dramatiq.errors import ActorNotFound
from dramatiq.middleware import Middleware, Retries

from joblens_client.facts import Fact, Status, now
from joblens_client.failures import described
from joblens_client.process import process_name
from joblens_client.recorder import Recorder

_DELAYED = ".DQ"


class JoblensMiddleware(Middleware):
    """Records the messages of a broker, in this process and in those that it forks."""

    def __init__(self, recorder: Recorder) -> None:
        recorder.kind = recorder.kind or "dramatiq"
        self._recorder = recorder
        self._running = local()
        self._failed: dict[str, tuple[BaseException, datetime]] = {}
        self._held: set[str] = set()
        self._enqueued_at = local()

    def before_enqueue(self, broker: Any, message: Any, delay: int | None) -> None:
        """Note the time: a worker may start the message before it is recorded."""
        self._enqueued_at.value = now()

    def after_enqueue(self, broker: Any, message: Any, delay: int | None) -> None:
        """Record a new message, or a failure after which the message will be run again."""
        id_ = message.message_id
        if id_ in self._held:
            self._held.discard(id_)  # the end of its delay
            return
        due = _due(message)
        if (failed := self._failed.pop(id_, None)) is not None:
            error, ts = failed
            self._recorder.record_failure(id_, error, Status.QUEUED, ts=ts, scheduled_at=due)
            return
        ts = getattr(self._enqueued_at, "value", None) or now()
        fact = self._described(broker, message, Status.QUEUED, ts)
        parent = getattr(self._running, "id", None)
        if parent == id_:
            self._recorder.record(replace(fact, attempt=None, scheduled_at=due))
            return
        fact = replace(fact, attempt=0, scheduled_at=due, parent_external_id=parent)
        self._recorder.record(fact)

    def before_delay_message(self, broker: Any, message: Any) -> None:
        """Note a message that this worker will enqueue once its time has come."""
        self._held.add(message.message_id)

    def before_process_message(self, broker: Any, message: Any) -> None:
        """Record a start, and wait for it: the run may kill its process."""
        self._running.id = message.message_id
        if not message.failed:
            fact = self._described(broker, message, Status.RUNNING, now())
            self._recorder.record(fact, wait=True)

    def after_process_message(
        self,
        broker: Any,
        message: Any,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        """Record a success. What a failure leads to is known later."""
        if exception is not None:
            self._failed[message.message_id] = exception, now()
            return
        sent = self._recorder.result(result)
        self._recorder.record(Fact(message.message_id, Status.SUCCEEDED, result=sent))

    def after_skip_message(self, broker: Any, message: Any) -> None:
        """Record that a message was dropped: it was too old, or a middleware wanted so."""
        reason = "expired" if message.failed else "skipped"
        fact = Fact(message.message_id, Status.CANCELED, detail={"reason": reason})
        self._recorder.record(fact)

    def after_ack(self, broker: Any, message: Any) -> None:
        """Record a failure for good, if nothing retries."""
        self._end(message)

    def after_nack(self, broker: Any, message: Any) -> None:
        """Record a failure for good."""
        self._end(message)

    def after_worker_shutdown(self, broker: Any, worker: Any) -> None:
        """Send what is left."""
        self._recorder.flush()

    def _end(self, message: Any) -> None:
        if getattr(self._running, "id", None) == message.message_id:
            self._running.id = None
        error, ts = self._failed.pop(message.message_id, (None, None))
        if error is not None:
            self._recorder.record_failure(message.message_id, error, Status.DEAD_LETTER, ts=ts)
        elif isinstance(unknown := getattr(message, "_exception", None), ActorNotFound):
            fact = Fact(message.message_id, Status.DEAD_LETTER, **described(unknown))
            self._recorder.record(fact)

    def _described(self, broker: Any, message: Any, status: Status, ts: datetime) -> Fact:
        actor: Any = None
        with suppress(ActorNotFound):
            actor = broker.get_actor(message.actor_name)
        return Fact(
            message.message_id,
            status,
            ts,
            type=message.actor_name,
            queue=message.queue_name.removesuffix(_DELAYED),
            priority=None if actor is None else -actor.priority,  # lower ones run first
            max_attempts=_max_attempts(broker, message, actor),
            batch=message.options.get("group_completion_uuid"),
            payload=self._recorder.payload(message.actor_name, message.args, message.kwargs),
            worker=process_name() if status is Status.RUNNING else None,
        )


def _due(message: Any) -> datetime | None:
    eta = message.options.get("eta")
    return None if eta is None else datetime.fromtimestamp(eta / 1000, timezone.utc)


def _max_attempts(broker: dramatiq.Broker, message: Any, actor: Any) -> int | None:
    found = [each.max_retries for each in broker.middleware if isinstance(each, Retries)]
    if not found or actor is None:
        return None
    retries = message.options.get("max_retries", actor.options.get("max_retries", found[0]))
    return None if retries is None else int(retries) + 1

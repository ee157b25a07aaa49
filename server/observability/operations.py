"""Observes operations and their statements: where their time goes, and how they end."""

from collections.abc import Awaitable, Sequence
from contextvars import ContextVar
from time import perf_counter
from typing import Any, Protocol, TypeVar
from uuid import UUID

from schema.execution.models import Operation, Response

OK, INTERRUPTED, OTHER = "OK", "INTERRUPTED", "other"
T = TypeVar("T")
_STARTED = Response(None)


class Ended:
    """An operation that runs, or has ended, and where its time went so far, in seconds."""

    __slots__ = (
        "_org_id",
        "began",
        "code",
        "cost",
        "name",
        "own_name",
        "seconds",
        "span",
        "sql",
        "statements",
        "text",
        "type",
        "waiting",
    )

    def __init__(self, operation: Operation, org_id: UUID) -> None:
        self.type, self.cost = operation.type.value, operation.cost
        self.text, self.own_name = operation.text, operation.name
        # A label of metrics: clients must not choose it.
        self.name = (operation.is_registered and operation.name) or OTHER
        self._org_id = org_id
        self.began = perf_counter()
        self.seconds = self.sql = self.waiting = 0.0
        self.statements = 0
        # Of traces.
        self.span: Any = None
        self.code = INTERRUPTED

    @property
    def organisation(self) -> str:
        return str(self._org_id)

    @property
    def executor(self) -> float:
        return max(0.0, self.seconds - self.sql - self.waiting)


class Observer(Protocol):
    """Gets what was observed."""

    def began(self, operation: Ended) -> None:
        """Get an operation that begins."""

    def ended(self, operation: Ended) -> None:
        """Get a query or mutation that has ended, or a subscription that has started."""

    def refused(self, code: str) -> None:
        """Get the code of a document that was refused."""

    def delivered(self, responses: int) -> None:
        """Get the number of responses that a subscription was sent."""


_current: ContextVar[Ended | None] = ContextVar("joblens_operation", default=None)


def current_operation() -> Ended | None:
    """Return the operation that runs here."""
    return _current.get()


def forget_operation() -> None:
    """Leave what follows here out of the operation that runs."""
    _current.set(None)


class Operations:
    """Observes the operations of a process for several observers; without any, it does nothing."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers

    def begin(self, operation: Operation, org_id: UUID) -> Ended | None:
        """Begin to observe an operation, until `end`."""
        if not self._observers:
            return None
        ended = Ended(operation, org_id)
        _current.set(ended)
        for each in self._observers:
            each.began(ended)
        return ended

    def end(self, operation: Ended | None, response: Response | None) -> None:
        """End it. `response`: None if it was interrupted."""
        if operation is None:
            return
        operation.seconds = perf_counter() - operation.began
        if response is not None:
            operation.code = _code(response)
        _current.set(None)
        for each in self._observers:
            each.ended(operation)

    async def started(self, operation: Operation, org_id: UUID, start: Awaitable[T]) -> T:
        """Observe the start of a subscription: a refused response, or its responses."""
        observed = self.begin(operation, org_id)
        started: T | None = None
        try:
            started = await start
            return started
        finally:
            refused = started if isinstance(started, Response) else _STARTED
            self.end(observed, None if started is None else refused)

    def refuse(self, response: Response) -> None:
        """Observe a document that was refused."""
        for each in self._observers:
            each.refused(_code(response))

    def deliver(self, responses: Sequence[Response]) -> None:
        """Observe responses of a subscription."""
        for each in self._observers:
            each.delivered(len(responses))


def _code(response: Response) -> str:
    return str(response.errors[0]["extensions"]["code"]) if response.errors else OK

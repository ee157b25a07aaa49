"""Observes operations and their statements: where their time goes, and how they end."""

from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from time import perf_counter
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection

from schema.execution.models import Operation, Response

OK, INTERRUPTED = "OK", "INTERRUPTED"
T = TypeVar("T")
_STARTED = Response(None)


class Ended:
    """An operation that runs, or has ended, and where its time went so far, in seconds."""

    __slots__ = (
        "began",
        "code",
        "is_over",
        "operation",
        "org_id",
        "seconds",
        "span",
        "sql",
        "statements",
        "type",
        "waiting",
    )

    # Of the whole, once it has ended.
    seconds: float

    def __init__(self, operation: Operation, org_id: UUID) -> None:
        self.operation, self.org_id = operation, org_id
        # Its `value` is a property in Python.
        self.type: str = operation.type._value_
        self.code = INTERRUPTED
        self.is_over = False
        self.sql = self.waiting = 0.0
        self.statements = 0
        # Of traces.
        self.span: Any = None
        self.began = perf_counter()


class Observer:
    """Gets what was observed; an observer overrides what it wants, and the rest costs nothing.

    `operation_seconds`, `statement_seconds`: what took less is left out.
    """

    operation_seconds = statement_seconds = 0.0

    def began(self, operation: Ended) -> None:
        """Get an operation that begins."""

    def ended(self, operation: Ended) -> None:
        """Get a query or mutation that has ended, or a subscription that has started."""

    def statement(
        self, connection: Connection, sql: str, seconds: float, error: BaseException | None
    ) -> None:
        """Get a statement that has ended. Its text has no values."""

    def refused(self, code: str) -> None:
        """Get the code of a document that was refused."""

    def delivered(self, responses: int) -> None:
        """Get the number of responses that a subscription was sent."""


_current: ContextVar[Ended | None] = ContextVar("joblens_operation", default=None)


def current_operation() -> Ended | None:
    """Return the operation that runs here."""
    operation = _current.get()
    return None if operation is None or operation.is_over else operation


def forget_operation() -> None:
    """Leave what follows here out of the operation that runs."""
    _current.set(None)


class Operations:
    """Observes the operations of a process for several observers; without any, it does nothing.

    Each is a part of every request, so that calls are few.
    """

    def __init__(self) -> None:
        self.is_observed = False
        self._began: list[Callable[[Ended], None]] = []
        self._ended: list[tuple[float, Callable[[Ended], None]]] = []
        self._statements: list[tuple[float, Callable[..., None]]] = []
        self._observers: list[Observer] = []

    def observe(self, observer: Observer) -> None:
        """Observe for one more."""
        self.is_observed = True
        self._observers.append(observer)
        if _overrides(observer, "began"):
            self._began.append(observer.began)
        if _overrides(observer, "ended"):
            self._ended.append((observer.operation_seconds, observer.ended))
        if _overrides(observer, "statement"):
            self._statements.append((observer.statement_seconds, observer.statement))

    def begin(self, operation: Operation, org_id: UUID) -> Ended | None:
        """Begin to observe an operation, until `end`."""
        if not self.is_observed:
            return None
        ended = Ended(operation, org_id)
        _current.set(ended)
        for began in self._began:
            began(ended)
        return ended

    def end(self, operation: Ended | None, response: Response | None) -> None:
        """End it. `response`: None if it was interrupted."""
        if operation is None:
            return
        operation.seconds = seconds = perf_counter() - operation.began
        if response is not None:
            operation.code = _code(response) if response.errors else OK
        # Cheaper than to take it out of the context.
        operation.is_over = True
        for least, ended in self._ended:
            if seconds >= least:
                ended(operation)

    def statement(
        self, connection: Connection, sql: str, began: float, error: BaseException | None
    ) -> None:
        """Observe a statement that has ended."""
        seconds = perf_counter() - began
        operation = _current.get()
        if operation is not None and not operation.is_over:
            operation.sql += seconds
            operation.statements += 1
        for least, ended in self._statements:
            if seconds >= least:
                ended(connection, sql, seconds, error)

    def waited(self, seconds: float) -> None:
        """Observe how long a connection and the begin of its transaction took."""
        operation = _current.get()
        if operation is not None and not operation.is_over:
            operation.waiting += seconds

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


def _overrides(observer: Observer, name: str) -> bool:
    return getattr(type(observer), name) is not getattr(Observer, name)


def _code(response: Response) -> str:
    return str(response.errors[0]["extensions"]["code"]) if response.errors else OK

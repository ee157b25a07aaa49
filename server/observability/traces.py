"""Spans of OpenTelemetry for requests, operations and statements, by its API alone.

This module is only imported where traces are on: the API is an extra, and the SDK the operator's.
"""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager, suppress
from contextvars import Token
from threading import Thread
from time import time_ns
from typing import Any

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from sqlalchemy import Connection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from resolvers.version import installed_version
from server.observability.operations import OK, Ended, Observer

# Of a statement; it has no values.
MAX_SQL_LENGTH = 10_000
# How long the end of a process waits for an exporter.
FLUSH_SECONDS = 3.0
# An HTTP status from which on it is the server's fault.
SERVER_ERROR = 500

_PROPAGATOR = TraceContextTextMapPropagator()
_TRACE = b"traceparent"
_CARRIERS = frozenset(name.encode() for name in _PROPAGATOR.fields)


def _tracer() -> trace.Tracer:
    return trace.get_tracer("joblens", installed_version())


def _has_sdk() -> bool:
    """Whether there is an SDK. Without one no span is recorded."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


class Traces(Observer):
    """Makes the spans of operations and of their statements, below that of their request.

    Where that is not recorded, by the SDK's sampling, none is made.
    """

    def __init__(self) -> None:
        self._tracer = _tracer()

    @property
    def has_sdk(self) -> bool:
        """Whether there is an SDK; without one there is nothing to observe."""
        return _has_sdk()

    @property
    def is_recorded(self) -> bool:
        """Whether spans that are made here are recorded."""
        return _is_recorded()

    async def stop(self) -> None:
        """Wait for the export of the spans that the SDK still has, for some seconds at most.

        Server processes of `--workers` end by a signal, so that nothing else would export them.
        """
        flush = getattr(trace.get_tracer_provider(), "force_flush", None)
        if flush is None:
            return
        loop, flushed = asyncio.get_running_loop(), asyncio.Event()

        def run() -> None:
            # The loop may have ended meanwhile.
            with suppress(RuntimeError):
                flush(round(FLUSH_SECONDS * 1000))
                loop.call_soon_threadsafe(flushed.set)

        # A thread of its own: no other may have to wait for an exporter.
        Thread(target=run, name="joblens-flush", daemon=True).start()
        with suppress(TimeoutError):
            await asyncio.wait_for(flushed.wait(), FLUSH_SECONDS)

    def current_id(self) -> str | None:
        """Return the id of the current trace, if there is one."""
        current = trace.get_current_span().get_span_context()
        return trace.format_trace_id(current.trace_id) if current.is_valid else None

    @contextmanager
    def level(self, type_: str, objects: int) -> Iterator[None]:
        """Make the span of a level: of the fields of so many objects of a type."""
        with self._tracer.start_as_current_span(
            type_, attributes={"joblens.objects": objects}, record_exception=False
        ):
            yield

    def began(self, operation: Ended) -> None:
        """Begin the span of an operation, which is current until it ends."""
        if not _is_recorded():
            return
        span = self._tracer.start_span(
            operation.type,
            attributes={
                "graphql.operation.type": operation.type,
                "graphql.operation.name": operation.operation.name or "",
                "joblens.organisation": str(operation.org_id),
                "joblens.cost": operation.operation.cost,
            },
        )
        operation.span = span, context.attach(trace.set_span_in_context(span))

    def ended(self, operation: Ended) -> None:
        """End the span of an operation."""
        if operation.span is None:
            return
        span, token = _span_of(operation)
        span.set_attribute("joblens.code", operation.code)
        if operation.code != OK:
            span.set_status(Status(StatusCode.ERROR, operation.code))
        span.end()
        context.detach(token)

    def refused(self, code: str) -> None:
        """Note the code of a document that was refused, in the span of its request."""
        trace.get_current_span().set_attribute("joblens.code", code)

    def delivered(self, responses: int) -> None:
        """Make a span of responses that a subscription was sent: a trace of its own.

        It is linked with that of the request, which may have lasted for days.
        """
        request = trace.get_current_span().get_span_context()
        if not request.trace_flags.sampled:
            return
        link = trace.Link(request)
        self._tracer.start_span(
            "deliver", Context(), links=[link], attributes={"joblens.responses": responses}
        ).end()

    def statement(
        self, _connection: Connection, sql: str, seconds: float, error: BaseException | None
    ) -> None:
        """Make the span of a statement that has ended."""
        if not _is_recorded():
            return
        span = self._tracer.start_span(
            sql.lstrip().partition(" ")[0],
            kind=SpanKind.CLIENT,
            attributes={"db.system.name": "postgresql", "db.query.text": sql[:MAX_SQL_LENGTH]},
            start_time=time_ns() - round(seconds * 1e9),
        )
        if error is not None:
            # Its message may have values.
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(Status(StatusCode.ERROR))
        span.end()


def _is_recorded() -> bool:
    """Whether a span made now would be, as its parent is."""
    parent = trace.get_current_span()
    return parent.is_recording() if parent.get_span_context().is_valid else True


def _span_of(operation: Ended) -> tuple[Span, Token[Any]]:
    assert operation.span is not None
    span: tuple[Span, Token[Any]] = operation.span
    return span


class RequestSpans:
    """Middleware that makes a span of each request, in the trace of its `traceparent`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._tracer = _tracer()
        self._has_sdk = False

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Respond as an ASGI application. What makes no span waits for nothing of its own."""
        if scope["type"] == "lifespan":
            self._has_sdk = _has_sdk()
            return self._app(scope, receive, send)
        if self._has_sdk:
            return self._respond(scope, receive, send)
        for name, _ in scope["headers"]:
            # Without an SDK, jobs that are created keep the id of the trace.
            if name == _TRACE:
                return self._respond(scope, receive, send)
        return self._app(scope, receive, send)

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        carrier = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope["headers"]
            if name in _CARRIERS
        }
        method = scope.get("method", "WEBSOCKET")
        with self._tracer.start_as_current_span(
            f"{method} {scope['path']}" if scope["path"] == "/graphql" else method,
            context=_PROPAGATOR.extract(carrier),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method, "url.path": scope["path"]},
            record_exception=False,
        ) as span:

            async def noted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    status = int(message["status"])
                    span.set_attribute("http.response.status_code", status)
                    if status >= SERVER_ERROR:
                        span.set_status(Status(StatusCode.ERROR))
                await send(message)

            await self._app(scope, receive, noted)

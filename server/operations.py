"""An operation of any type as a stream of responses, for the transports that carry streams."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import structlog
from graphql import OperationType
from starlette.types import Receive

from resolvers.context import Context, Viewer
from resolvers.errors import ErrorCode, JoblensError
from schema.execution.run import (
    MASKED,
    Operation,
    Request,
    Response,
    execute,
    prepare,
    subscribe,
)
from schema.execution.subscription_responses import OpenContext
from server.app_state import AppState
from server.http.responses import refusal, settled
from server.limits.admission import Admission, key
from server.limits.deadline import Deadline
from server.logging import audit

log = structlog.get_logger("joblens.operations")


class Stream(AsyncIterator[list[Response]]):
    """The responses of one operation, in lists of what is ready together.

    Whoever stops before the end closes it.

    Whatever breaks on the way becomes the last response, a refusal. Not a generator: closing one
    of those that was never begun would not reach what it stands on.
    """

    def __init__(
        self, responses: AsyncIterator[list[Response]], leave: Callable[[], None] | None = None
    ) -> None:
        self._responses = responses
        self._leave = leave
        self._ended = False
        self._refusal: JoblensError | None = None

    async def __anext__(self) -> list[Response]:
        """Get what comes next, at least one response."""
        if self._ended:
            raise StopAsyncIteration
        try:
            responses = await anext(self._responses)
            if responses[-1].refused and ErrorCode.SLOW_CONSUMER in responses[-1].codes():
                audit.limits(ErrorCode.SLOW_CONSUMER)
            return responses  # noqa: TRY300
        except StopAsyncIteration:
            await self.aclose()
            if self._refusal is None:
                raise
            audit.refused(self._refusal.code)
            return [refusal(self._refusal)]
        except JoblensError as error:
            await self.aclose()
            return [refusal(error)]
        except Exception:
            log.exception("unexpected error")
            await self.aclose()
            return [refusal(JoblensError(ErrorCode.INTERNAL_SERVER_ERROR, MASKED))]

    async def refuse(self, error: JoblensError) -> None:
        """End the operation from outside; what is told last is the error."""
        self._refusal = error
        await _close(self._responses)

    async def aclose(self) -> None:
        """End the operation and free what it holds, its place too."""
        self._ended = True
        try:
            await _close(self._responses)
        finally:
            if self._leave is not None:
                self._leave()


async def read(state: AppState, viewer: Viewer, request: Request) -> Operation | Response:
    """Read what a request asks for; what cannot be run costs a point, and comes as its refusal."""
    operation = prepare(request, state.rules)
    if isinstance(operation, Response):
        audit.limits(*operation.codes())
        await state.gate.charge(viewer)
    else:
        audit.runs(operation)
    return operation


async def start(
    state: AppState, viewer: Viewer, operation: Operation, request: Request, admission: Admission
) -> Stream | Response:
    """Begin an operation that was let in: its responses; or its refusal.

    A query or mutation has one response. It leaves by itself: a subscription once it has begun, for
    there is another bound on those.
    """
    if operation.type is not OperationType.SUBSCRIPTION:
        return Stream(_answer(state, viewer, operation, request), admission.leave)
    try:
        started = await _subscribe(state, viewer, operation, request)
    except JoblensError as error:
        started = refusal(error)
    finally:
        admission.leave()
    if isinstance(started, Response):
        audit.limits(*started.codes())
    return started


async def answer(
    state: AppState,
    viewer: Viewer,
    operation: Operation,
    request: Request,
    receive: Receive | None = None,
) -> Response:
    """Run a query or mutation in its time.

    A query is stopped if `receive` tells that the client has gone. What a mutation began, it
    finishes, whether anybody waits for it or not.
    """
    context = state.context(viewer, looks_up=operation.looks_up)
    leaves = receive if operation.type is OperationType.QUERY else None
    deadline = Deadline(state.settings.request_timeout_seconds, context.stop, leaves)
    response: Response | None = None
    try:
        response = await execute(operation, request, context)
        response = settled(response)
        return response
    finally:
        deadline.end()
        audit.answered(context.deeds, response)
        await context.close()


def just(response: Response) -> Stream:
    """Make a stream of one response."""

    async def one() -> AsyncIterator[list[Response]]:
        yield [response]

    return Stream(one())


async def _close(responses: AsyncIterator[list[Response]]) -> None:
    aclose = getattr(responses, "aclose", None)
    if aclose is not None:
        await aclose()


async def _subscribe(
    state: AppState, viewer: Viewer, operation: Operation, request: Request
) -> Stream | Response:
    place = state.gate.subscriptions.take(key(viewer))
    responses: Any = None
    try:
        responses = await subscribe(operation, request, _opener(state, viewer, operation))
    finally:
        if responses is None or isinstance(responses, Response):
            place.leave()
    return responses if isinstance(responses, Response) else Stream(responses, place.leave)


async def _answer(
    state: AppState, viewer: Viewer, operation: Operation, request: Request
) -> AsyncIterator[list[Response]]:
    if operation.type is OperationType.QUERY:
        yield [await answer(state, viewer, operation, request)]
        return
    running = asyncio.ensure_future(answer(state, viewer, operation, request))
    try:
        yield [await asyncio.shield(running)]
    except asyncio.CancelledError:
        await asyncio.wait({running})
        raise


def _opener(state: AppState, viewer: Viewer, operation: Operation) -> OpenContext:
    @asynccontextmanager
    async def open_context() -> AsyncIterator[Context]:
        context = state.context(viewer, looks_up=operation.looks_up)
        try:
            yield context
        finally:
            await context.close()

    return open_context

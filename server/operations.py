"""Runs GraphQL operations, the same way for HTTP, Server-Sent Events and WebSocket."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import structlog
from graphql import OperationType
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import Receive

from resolvers.context import Context
from resolvers.errors import ErrorCode, JoblensError
from resolvers.viewer import Viewer
from schema.execution.error_format import MASKED
from schema.execution.models import Operation, Request, Response
from schema.execution.run import execute, prepare, subscribe
from server.app_state import AppState
from server.limits.admission import viewer_key
from server.limits.concurrency import Slot
from server.limits.deadline import Deadline
from server.logging import audit
from server.response_encoding import encode_once, refusal

log = structlog.get_logger("joblens.operations")


async def prepare_operation(
    state: AppState, viewer: Viewer, request: Request
) -> Operation | Response:
    """Parse, validate and price a request. Returns the operation, or a refused response.

    A refusal costs the viewer a point. Raises BusyError.
    """
    operation = prepare(request, state.rules)
    if isinstance(operation, Response):
        audit.log_limits(*operation.codes())
        state.observation.operations.refuse(operation)
        await state.admission.spend(viewer)
    else:
        audit.set_operation(operation)
    return operation


async def answer_operation(
    state: AppState,
    viewer: Viewer,
    operation: Operation,
    request: Request,
    slot: Slot,
    receive: Receive,
) -> Response:
    """Run a query or mutation as `run_operation` does. Returns its one response."""
    try:
        return await _execute(state, viewer, operation, request, receive)
    except Exception as error:  # noqa: BLE001 - all are reported
        return _failed(error)
    finally:
        slot.release()


async def run_operation(
    state: AppState,
    viewer: Viewer,
    operation: Operation,
    request: Request,
    slot: Slot,
) -> AsyncGenerator[list[Response], None]:
    """Run an operation, and yield its responses in lists of those that are ready together.

    First an empty list, once it has started. Then a query or mutation yields one response, a
    subscription one for each event. A `refused` response reports why the operation was
    not run or has ended, and is the last. `slot` is that of the request; a subscription gives it
    back when it has started, and holds one of its own. Closing the iterator ends the operation.
    """
    if operation.type is not OperationType.SUBSCRIPTION:
        responses = _execute_once(state, viewer, operation, request)
    else:
        responses = _subscribe(state, viewer, operation, request, slot)
    try:
        async for ready in responses:
            yield ready
    except Exception as error:  # noqa: BLE001 - all are reported
        yield [_failed(error)]
    finally:
        slot.release()
        await responses.aclose()


def _failed(error: Exception) -> Response:
    """Make the response that reports why an operation was not run or has ended."""
    if isinstance(error, JoblensError):
        audit.log_limits(error.code)
        return refusal(error)
    log.error("unexpected error", exc_info=error)
    return refusal(JoblensError(ErrorCode.INTERNAL_SERVER_ERROR, MASKED))


async def _execute_once(
    state: AppState, viewer: Viewer, operation: Operation, request: Request
) -> AsyncGenerator[list[Response], None]:
    yield []
    yield [await _execute(state, viewer, operation, request, None)]


async def _execute(
    state: AppState,
    viewer: Viewer,
    operation: Operation,
    request: Request,
    receive: Receive | None,
) -> Response:
    """Run a query or mutation; a query, until `receive` reports that its client has left."""
    if operation.type is OperationType.QUERY:
        return await _answer(state, viewer, operation, request, receive)
    # A mutation that has begun is finished, even if its client disconnects.
    answer = asyncio.ensure_future(_answer(state, viewer, operation, request, None))
    try:
        return await asyncio.shield(answer)
    except asyncio.CancelledError:
        await asyncio.wait({answer})
        raise


async def _answer(
    state: AppState,
    viewer: Viewer,
    operation: Operation,
    request: Request,
    receive: Receive | None,
) -> Response:
    servers, response = state.servers, None
    observed = state.observation.operations.begin(operation, viewer.org_id)
    try:
        if operation.type is OperationType.QUERY:
            engine = servers.for_query(viewer, request.position)
            response = await _answer_on(engine, state, viewer, operation, request, receive)
            if engine is not servers.primary and ErrorCode.UNAVAILABLE in response.codes():
                # The replica was lost, or had to cancel what was in the way of its replay.
                servers.distrust()
                engine = servers.primary
                response = await _answer_on(engine, state, viewer, operation, request, receive)
        else:
            response = await _answer_on(servers.primary, state, viewer, operation, request, receive)
        return response
    finally:
        state.observation.operations.end(observed, response)


async def _answer_on(
    engine: AsyncEngine,
    state: AppState,
    viewer: Viewer,
    operation: Operation,
    request: Request,
    receive: Receive | None,
) -> Response:
    context = state.context(viewer, is_short=operation.is_short, engine=engine)
    deadline = Deadline(state.settings.request_timeout_seconds, context.stop, receive)
    response: Response | None = None
    try:
        response = await execute(operation, request, context)
        if operation.type is OperationType.MUTATION:
            response = replace(response, position=await state.servers.written(viewer))
        response = encode_once(response)
        return response
    finally:
        deadline.end()
        audit.log_operation(context.audit_entries, response)
        await context.close()


async def _subscribe(
    state: AppState, viewer: Viewer, operation: Operation, request: Request, slot: Slot
) -> AsyncGenerator[list[Response], None]:
    @asynccontextmanager
    async def open_context() -> AsyncIterator[Context]:
        context = state.context(viewer, is_short=operation.is_short)
        try:
            yield context
        finally:
            await context.close()

    operations = state.observation.operations
    with state.admission.subscriptions.acquire(viewer_key(viewer)):
        starting = subscribe(operation, request, open_context)
        responses = await operations.started(operation, viewer.org_id, starting)
        if isinstance(responses, Response):
            audit.log_limits(*responses.codes())
            yield [responses]
            return
        slot.release()
        async with aclosing(responses):
            yield []
            async for ready in responses:
                if ready[-1].refused and ErrorCode.SLOW_CONSUMER in ready[-1].codes():
                    audit.log_limits(ErrorCode.SLOW_CONSUMER)
                operations.deliver(ready)
                state.servers.seen(viewer)
                yield ready

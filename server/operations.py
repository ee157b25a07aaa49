"""An operation of any type as a stream of responses, for the transports that carry streams."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import structlog
from graphql import OperationType

from resolvers.context import Context, Viewer
from resolvers.errors import ErrorCode, JoblensError
from schema.execution import MASKED, Operation, Request, Response, execute, subscribe
from server.responses import refusal
from server.state import State

log = structlog.get_logger("joblens.operations")

OpenContext = Callable[[], AbstractAsyncContextManager[Context]]


class Stream(AsyncIterator[list[Response]]):
    """The responses of one operation, in lists of what is ready together.

    Whoever stops before the end closes it.

    Whatever breaks on the way becomes the last response, a refusal. Not a generator: closing one
    of those that was never begun would not reach what it stands on.
    """

    def __init__(self, responses: AsyncIterator[list[Response]]) -> None:
        self._responses = responses
        self._ended = False
        self._refusal: JoblensError | None = None

    async def __anext__(self) -> list[Response]:
        """Get what comes next, at least one response."""
        if self._ended:
            raise StopAsyncIteration
        try:
            return await anext(self._responses)
        except StopAsyncIteration:
            await self.aclose()
            if self._refusal is None:
                raise
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
        """End the operation and free what it holds."""
        self._ended = True
        await _close(self._responses)


async def start(
    state: State, viewer: Viewer, operation: Operation, request: Request
) -> Stream | Response:
    """Begin an operation: its responses; or its refusal.

    A query or mutation has one response.
    """
    open_context = _opener(state, viewer)
    if operation.type is not OperationType.SUBSCRIPTION:
        return Stream(_answer(operation, request, open_context))
    try:
        responses = await subscribe(operation, request, open_context)
    except JoblensError as error:
        return refusal(error)
    return responses if isinstance(responses, Response) else Stream(responses)


def just(response: Response) -> Stream:
    """Make a stream of one response."""

    async def one() -> AsyncIterator[list[Response]]:
        yield [response]

    return Stream(one())


async def _close(responses: AsyncIterator[list[Response]]) -> None:
    aclose = getattr(responses, "aclose", None)
    if aclose is not None:
        await aclose()


async def _answer(
    operation: Operation, request: Request, open_context: OpenContext
) -> AsyncIterator[list[Response]]:
    async def run() -> Response:
        async with open_context() as context:
            return await execute(operation, request, context)

    if operation.type is OperationType.QUERY:
        yield [await run()]
        return
    # Whether anybody waits for its answer or not, what a mutation began, it finishes.
    running = asyncio.ensure_future(run())
    try:
        yield [await asyncio.shield(running)]
    except asyncio.CancelledError:
        await asyncio.wait({running})
        raise


def _opener(state: State, viewer: Viewer) -> OpenContext:
    @asynccontextmanager
    async def open_context() -> AsyncIterator[Context]:
        context = state.context(viewer)
        try:
            yield context
        finally:
            await context.close()

    return open_context

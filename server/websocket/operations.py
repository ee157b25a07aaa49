"""The operations that run on one connection: begun, completed, answered, ended together."""

import asyncio
from contextlib import aclosing, suppress
from typing import Any

import structlog
from graphql import OperationType

from resolvers.context import Viewer
from resolvers.errors import ErrorCode, JoblensError
from schema.execution.run import MASKED, Response
from server.app_state import AppState
from server.http.requests import as_request
from server.http.responses import gather, refusal
from server.logging import audit
from server.operations import read, start
from server.websocket.channel import Channel, GoneError
from server.websocket.messages import (
    Close,
    ClosingError,
    Message,
    error_message,
    next_message,
)

# How long a completed operation may hold up the client's next message, until it has let go.
LETTING_GO_SECONDS = 1

log = structlog.get_logger("joblens.websocket")


class RunningOperations:
    """Each operation is a task; none waits for, or fails with, another."""

    def __init__(self, channel: Channel, state: AppState) -> None:
        self._channel = channel
        self._state = state
        self._operations: dict[str, asyncio.Task[None]] = {}
        # Of these, those that would not end by themselves.
        self._subscriptions: set[str] = set()
        # Those that were completed but have not let go are among these only.
        self.tasks: set[asyncio.Task[None]] = set()

    async def begin(self, message: Message, viewer: Viewer) -> None:
        """Begin the operation that a message asks for. Raises ClosingError, GoneError."""
        if message.id in self._operations:
            reason = f"Subscriber for {message.id} already exists"
            raise ClosingError(Close.OPERATION_EXISTS, reason)
        if message.fault is not None:
            await self._channel.send(error_message(message.id, refusal(message.fault)))
            return
        most = self._state.settings.websocket_max_operations
        if len(self.tasks) >= most:
            words = f"A connection may run at most {most} operations at once."
            error = JoblensError(ErrorCode.TOO_MANY_OPERATIONS, words)
            audit.limits(error.code)
            await self._channel.send(error_message(message.id, refusal(error)))
            return
        task = asyncio.create_task(self._run(message, viewer))
        self._operations[message.id] = task
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def complete(self, id_: str) -> None:
        """End an operation that its client wants no more of."""
        task = self._operations.pop(id_, None)
        if task is not None:
            self._subscriptions.discard(id_)
            task.cancel()
            await asyncio.wait({task}, timeout=LETTING_GO_SECONDS)

    async def finish(self) -> None:
        """Complete subscriptions, and let the rest answer. Raises GoneError."""
        while self._subscriptions:
            id_ = self._subscriptions.pop()
            await cancel(self._operations.pop(id_))
            await self._channel.send({"id": id_, "type": "complete"})
        while self.tasks:
            await asyncio.wait(self.tasks)

    async def _run(self, message: Message, viewer: Viewer) -> None:
        """Run an operation to its last message, unless it is cancelled or nobody listens."""
        try:
            last = await self._send_results(message, viewer)
        except GoneError:
            return
        except JoblensError as error:
            audit.limits(error.code)
            last = error_message(message.id, refusal(error))
        except Exception:
            log.exception("unexpected error")
            masked = JoblensError(ErrorCode.INTERNAL_SERVER_ERROR, MASKED)
            last = error_message(message.id, refusal(masked))
        # Before the client may read of it: from then on the id is free.
        self._operations.pop(message.id, None)
        self._subscriptions.discard(message.id)
        with suppress(GoneError):
            await self._channel.send(last)

    async def _send_results(self, message: Message, viewer: Viewer) -> dict[str, Any]:
        """Send each result but the last message, which is returned."""
        request = as_request(message.payload)
        operation = await read(self._state, viewer, request)
        if isinstance(operation, Response):
            return error_message(message.id, operation)
        subscribes = operation.type is OperationType.SUBSCRIPTION
        if subscribes:
            self._subscriptions.add(message.id)
        place = self._state.gate.enter(viewer)
        admission = await self._state.gate.admit(viewer, operation.cost, place)
        responses = await start(self._state, viewer, operation, request, admission)
        if isinstance(responses, Response):
            return error_message(message.id, responses)
        async with aclosing(responses):
            async for together in responses:
                told = [each for each in together if not each.refused]
                texts = (next_message(message.id, each) for each in told)
                for some in gather(texts):
                    await self._channel.send_texts(some)
                if len(told) < len(together):
                    return error_message(message.id, together[-1])
        return {"id": message.id, "type": "complete"}


async def cancel(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks, and wait until they have ended."""
    for task in tasks:
        # Once: what a cancelled one does to let go of its connection must not be cancelled too.
        if not task.cancelling():
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

"""The operations that run on one WebSocket connection."""

import asyncio
from contextlib import aclosing, suppress
from typing import Any

import structlog
from graphql import OperationType

from resolvers.errors import ErrorCode, JoblensError
from resolvers.viewer import Viewer
from schema.execution.error_format import MASKED
from schema.execution.models import Response
from server.app_state import AppState
from server.http.requests import as_request
from server.logging import audit
from server.operations import prepare_operation, run_operation
from server.response_encoding import batched, refusal
from server.websocket.channel import Channel, GoneError
from server.websocket.messages import (
    Close,
    ClosingError,
    Message,
    error_message,
    next_message,
)

# How long the client's next message waits for a completed operation to end.
COMPLETING_SECONDS = 1

log = structlog.get_logger("joblens.websocket")


class RunningOperations:
    """Runs each operation in a task of its own, independent of the others."""

    def __init__(self, channel: Channel, state: AppState) -> None:
        self._channel = channel
        self._state = state
        self._operations: dict[str, asyncio.Task[None]] = {}
        # The ids of those that do not end by themselves.
        self._subscriptions: set[str] = set()
        # These also include completed operations that have not ended yet.
        self.tasks: set[asyncio.Task[None]] = set()

    async def start(self, message: Message, viewer: Viewer) -> None:
        """Start the operation of a message. Raises ClosingError, GoneError."""
        if message.id in self._operations:
            reason = f"Subscriber for {message.id} already exists"
            raise ClosingError(Close.OPERATION_EXISTS, reason)
        if message.fault is not None:
            await self._channel.send(error_message(message.id, refusal(message.fault)))
            return
        limit = self._state.settings.websocket_max_operations
        if len(self.tasks) >= limit:
            text = f"A connection may run at most {limit} operations at once."
            error = JoblensError(ErrorCode.TOO_MANY_OPERATIONS, text)
            audit.log_limits(error.code)
            await self._channel.send(error_message(message.id, refusal(error)))
            return
        task = asyncio.create_task(self._run(message, viewer))
        self._operations[message.id] = task
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def complete(self, id_: str) -> None:
        """End an operation that its client has completed."""
        task = self._operations.pop(id_, None)
        if task is not None:
            self._subscriptions.discard(id_)
            task.cancel()
            await asyncio.wait({task}, timeout=COMPLETING_SECONDS)

    async def finish(self) -> None:
        """Complete subscriptions, and wait for the other operations. Raises GoneError."""
        while self._subscriptions:
            id_ = self._subscriptions.pop()
            await cancel(self._operations.pop(id_))
            await self._channel.send({"id": id_, "type": "complete"})
        while self.tasks:
            await asyncio.wait(self.tasks)

    async def _run(self, message: Message, viewer: Viewer) -> None:
        """Run an operation to its last message, unless it is cancelled."""
        try:
            last = await self._send_results(message, viewer)
        except GoneError:
            return
        except JoblensError as error:
            audit.log_limits(error.code)
            last = error_message(message.id, refusal(error))
        except Exception:
            log.exception("unexpected error")
            masked = JoblensError(ErrorCode.INTERNAL_SERVER_ERROR, MASKED)
            last = error_message(message.id, refusal(masked))
        # Before the last message is sent: from then on the client may use the id again.
        self._operations.pop(message.id, None)
        self._subscriptions.discard(message.id)
        with suppress(GoneError):
            await self._channel.send(last)

    async def _send_results(self, message: Message, viewer: Viewer) -> dict[str, Any]:
        """Send each result, and return the last message."""
        request = as_request(message.payload)
        operation = await prepare_operation(self._state, viewer, request)
        if isinstance(operation, Response):
            return error_message(message.id, operation)
        if operation.type is OperationType.SUBSCRIPTION:
            self._subscriptions.add(message.id)
        with self._state.admission.enter(viewer) as slot:
            await self._state.admission.spend(viewer, operation.cost)
            async with aclosing(
                run_operation(self._state, viewer, operation, request, slot)
            ) as responses:
                async for ready in responses:
                    results = [each for each in ready if not each.refused]
                    texts = (next_message(message.id, each) for each in results)
                    for batch in batched(texts):
                        await self._channel.send_texts(batch)
                    if len(results) < len(ready):
                        return error_message(message.id, ready[-1])
        return {"id": message.id, "type": "complete"}


async def cancel(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks, and wait until they have ended."""
    for task in tasks:
        # Once: its cleanup must not be cancelled too.
        if not task.cancelling():
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

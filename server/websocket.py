"""The endpoint /graphql over WebSocket, in graphql-transport-ws: a connection, its operations."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress
from typing import Any

import structlog
from graphql import OperationType
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from resolvers.context import Viewer
from resolvers.errors import ErrorCode, JoblensError, UnavailableError
from schema.execution import MASKED, Response, prepare
from server.admission import NOBODY, key
from server.auth.credentials import MissingTokenError, UnauthenticatedError, from_init
from server.messages import (
    Close,
    ClosingError,
    Message,
    error_message,
    next_message,
    read_message,
)
from server.operations import start
from server.origins import check_origin
from server.places import Place
from server.protocols import SEND_MANY
from server.refusals import BusyError
from server.requests import as_request
from server.responses import dumps, gather, refusal, write_error
from server.state import State

SUBPROTOCOL = "graphql-transport-ws"
MAX_REASON_BYTES = 123
# How long the last words may take at the end of the process.
ENDING_SECONDS = 2
# How long a completed operation may hold up the client's next message, until it has let go.
LETTING_GO_SECONDS = 1

log = structlog.get_logger("joblens.websocket")


class _GoneError(Exception):
    """Nothing can be sent any more."""


class WebSocketEndpoint:
    """The ASGI application that serves one connection until either side ends it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Accept a connection, and serve it."""
        socket = WebSocket(scope, receive, send)
        try:
            # Browsers let any page open any WebSocket.
            check_origin(socket.headers, socket.app.state.joblens.settings.cors_origins)
        except JoblensError as error:
            # Before it is accepted: the browser gets a 403.
            await socket.send_denial_response(write_error(error))
            return
        try:
            place = socket.app.state.joblens.gate.connections.take(NOBODY)
        except BusyError as error:
            await socket.send_denial_response(write_error(error))
            return
        spoken = SUBPROTOCOL in scope["subprotocols"]
        await socket.accept(SUBPROTOCOL if spoken else None)
        send_many = send if SEND_MANY in scope.get("extensions", {}) else None
        state = socket.app.state.joblens
        await Connection(socket, send_many, state, place, spoken=spoken).serve()


class Connection:
    """A client's connection. Each operation is a task; none waits for, or fails with, another.

    `send_many`: what takes several messages at once, where the server can.
    """

    def __init__(
        self,
        socket: WebSocket,
        send_many: Send | None,
        state: State,
        place: Place,
        *,
        spoken: bool,
    ) -> None:
        self._place = place
        self._socket = socket
        self._send_many = send_many
        self._state = state
        self._spoken = spoken
        self._viewer: Viewer | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        # Of these, those that would not end by themselves.
        self._subscriptions: set[str] = set()
        # Those that were completed but have not let go are among these only.
        self._tasks: set[asyncio.Task[None]] = set()
        self._sending = asyncio.Lock()
        self._closed = False
        # Done once what the connection was opened with holds no more.
        self._lapsed = asyncio.get_running_loop().create_future()
        self._leave: Callable[[], None] | None = None

    async def serve(self) -> None:
        """Answer messages until the connection ends; leave nothing running."""
        conversation = asyncio.create_task(self._converse())
        ending = asyncio.create_task(self._end_with_process())
        try:
            ends: set[asyncio.Future[None]] = {conversation, ending, self._lapsed}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if self._lapsed.done():
                await self._close(Close.FORBIDDEN, "The token has expired or was revoked")
        finally:
            if self._leave is not None:
                self._leave()
            await _cancel(conversation, ending, *self._tasks)
            self._place.leave()

    async def _converse(self) -> None:
        try:
            await self._answer_all()
        except ClosingError as closing:
            await self._close(closing.code, closing.reason)
        except _GoneError:
            pass
        except Exception:
            log.exception("unexpected error")
            await self._close(Close.INTERNAL_ERROR, "Internal error")

    async def _answer_all(self) -> None:
        if not self._spoken:
            raise ClosingError(Close.NO_SUBPROTOCOL, f"The subprotocol must be {SUBPROTOCOL}")
        seconds = self._state.settings.websocket_init_timeout_seconds
        try:
            async with asyncio.timeout(seconds) as until_init:
                while True:
                    await self._answer(await self._receive())
                    if self._viewer is not None:
                        until_init.reschedule(None)
        except TimeoutError:
            raise ClosingError(Close.INIT_TIMEOUT, "Connection initialisation timeout") from None

    async def _receive(self) -> Message:
        frame = await self._socket.receive()
        if frame["type"] == "websocket.disconnect":
            raise _GoneError
        return read_message(frame)

    async def _answer(self, message: Message) -> None:
        match message.type:
            case "connection_init":
                await self._init(message.payload or {})
            case "ping":
                payload = {} if message.payload is None else {"payload": message.payload}
                await self._send({"type": "pong", **payload})
            case "subscribe":
                await self._subscribe(message)
            case "complete":
                await self._complete(message.id)

    async def _init(self, payload: dict[str, Any]) -> None:
        if self._viewer is not None:
            raise ClosingError(Close.SECOND_INIT, "Too many initialisation requests")
        try:
            presented = from_init(payload, self._socket.headers)
            credential = await self._state.authenticator.authenticate(presented)
        except MissingTokenError:
            raise ClosingError(Close.UNAUTHORIZED, "Unauthorized") from None
        except UnauthenticatedError:
            raise ClosingError(Close.FORBIDDEN, "Forbidden") from None
        except UnavailableError as error:
            raise ClosingError(Close.TRY_AGAIN_LATER, error.message) from None
        except JoblensError as error:
            raise ClosingError(Close.FORBIDDEN, error.message) from None
        self._viewer = credential.viewer
        # Its place is the viewer's from now on.
        self._place.leave()
        try:
            self._place = self._state.gate.connections.take(key(self._viewer))
        except BusyError as error:
            raise ClosingError(Close.TRY_AGAIN_LATER, error.message) from None
        self._leave = self._state.connections.watch(credential, self._lapse)
        await self._send({"type": "connection_ack"})

    def _lapse(self) -> None:
        if not self._lapsed.done():
            self._lapsed.set_result(None)

    async def _subscribe(self, message: Message) -> None:
        if self._viewer is None:
            raise ClosingError(Close.UNAUTHORIZED, "Unauthorized")
        if message.id in self._operations:
            reason = f"Subscriber for {message.id} already exists"
            raise ClosingError(Close.OPERATION_EXISTS, reason)
        most = self._state.settings.websocket_max_operations
        if len(self._tasks) >= most:
            words = f"A connection may run at most {most} operations at once."
            error = JoblensError(ErrorCode.TOO_MANY_OPERATIONS, words)
            await self._send(error_message(message.id, refusal(error)))
            return
        task = asyncio.create_task(self._run(message, self._viewer))
        self._operations[message.id] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _complete(self, id_: str) -> None:
        task = self._operations.pop(id_, None)
        if task is not None:
            self._subscriptions.discard(id_)
            task.cancel()
            await asyncio.wait({task}, timeout=LETTING_GO_SECONDS)

    async def _run(self, message: Message, viewer: Viewer) -> None:
        """Run an operation to its last message, unless it is cancelled or nobody listens."""
        try:
            last = await self._send_results(message, viewer)
        except _GoneError:
            return
        except JoblensError as error:
            last = error_message(message.id, refusal(error))
        except Exception:
            log.exception("unexpected error")
            masked = JoblensError(ErrorCode.INTERNAL_SERVER_ERROR, MASKED)
            last = error_message(message.id, refusal(masked))
        # Before the client may read of it: from then on the id is free.
        self._operations.pop(message.id, None)
        self._subscriptions.discard(message.id)
        with suppress(_GoneError):
            await self._send(last)

    async def _send_results(self, message: Message, viewer: Viewer) -> dict[str, Any]:
        """Send each result but the last message, which is returned."""
        request = as_request(message.payload)
        operation = prepare(request, self._state.rules)
        if isinstance(operation, Response):
            await self._state.gate.charge(viewer)
            return error_message(message.id, operation)
        subscribes = operation.type is OperationType.SUBSCRIPTION
        if subscribes:
            self._subscriptions.add(message.id)
        admission = await self._state.gate.admit(viewer, operation.cost)
        responses = await start(self._state, viewer, operation, request, admission)
        if isinstance(responses, Response):
            return error_message(message.id, responses)
        async with aclosing(responses):
            async for together in responses:
                told = [each for each in together if not each.refused]
                texts = (next_message(message.id, each, shared=subscribes) for each in told)
                for some in gather(texts):
                    await self._send_texts(some)
                if len(told) < len(together):
                    return error_message(message.id, together[-1])
        return {"id": message.id, "type": "complete"}

    async def _send(self, message: dict[str, Any]) -> None:
        await self._send_texts([dumps(message)])

    async def _send_texts(self, texts: list[bytes]) -> None:
        async with self._sending:
            if self._closed:
                raise _GoneError
            try:
                if self._send_many is not None:
                    await self._send_many({"type": SEND_MANY, "texts": texts})
                    return
                for text in texts:
                    await self._socket.send_text(text.decode())
            except (OSError, WebSocketDisconnect, RuntimeError):
                # RuntimeError: the server has closed the connection, and we have yet to hear of it.
                raise _GoneError from None

    async def _close(self, code: Close, reason: str) -> None:
        self._closed = True
        short = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
        # A client that reads nothing must not hold us up: it finds the connection lost.
        with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            async with asyncio.timeout(ENDING_SECONDS):
                await self._socket.close(code.value, short)

    async def _end_with_process(self) -> None:
        """Once the process ends: complete subscriptions, let the rest answer, and close."""
        await self._state.ending.wait()
        with suppress(_GoneError, TimeoutError):
            async with asyncio.timeout(ENDING_SECONDS):
                while self._subscriptions:
                    id_ = self._subscriptions.pop()
                    await _cancel(self._operations.pop(id_))
                    await self._send({"id": id_, "type": "complete"})
                while self._tasks:
                    await asyncio.wait(self._tasks)
        await self._close(Close.GOING_AWAY, "The server is going away")


async def _cancel(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        # Once: what a cancelled one does to let go of its connection must not be cancelled too.
        if not task.cancelling():
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

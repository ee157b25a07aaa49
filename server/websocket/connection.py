"""A connection's conversation: its beginning, who asks, what is said, and how it ends."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import structlog

from resolvers.context import Viewer
from resolvers.errors import ErrorCode, JoblensError, UnavailableError
from server.app_state import AppState
from server.auth.credentials import (
    Credential,
    MissingTokenError,
    UnauthenticatedError,
    from_init,
)
from server.limits.admission import key
from server.limits.concurrency import Slot
from server.limits.errors import BusyError
from server.logging import audit
from server.websocket.channel import ENDING_SECONDS, Channel, GoneError
from server.websocket.messages import SUBPROTOCOL, Close, ClosingError, Message
from server.websocket.operations import RunningOperations, cancel

log = structlog.get_logger("joblens.websocket")


class WebSocketSession:
    """A client's connection. `place`: its own from the handshake on."""

    def __init__(
        self, channel: Channel, headers: Mapping[str, str], state: AppState, place: Slot
    ) -> None:
        self._channel = channel
        self._headers = headers
        self._state = state
        self._place = place
        self._viewer: Viewer | None = None
        self._running = RunningOperations(channel, state)
        # Done once what the connection was opened with holds no more.
        self._lapsed = asyncio.get_running_loop().create_future()
        self._leave: Callable[[], None] | None = None

    async def serve(self, *, spoken: bool) -> None:
        """Answer messages until the connection ends; leave nothing running.

        `spoken`: whether the client speaks our subprotocol at all.
        """
        conversation = asyncio.create_task(self._converse(spoken))
        ending = asyncio.create_task(self._end_with_process())
        try:
            ends: set[asyncio.Future[None]] = {conversation, ending, self._lapsed}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if self._lapsed.done():
                audit.refused(ErrorCode.UNAUTHENTICATED)
                await self._channel.close(Close.FORBIDDEN, "The token has expired or was revoked")
        finally:
            if self._leave is not None:
                self._leave()
            await cancel(conversation, ending, *self._running.tasks)
            self._place.leave()

    async def _converse(self, spoken: bool) -> None:
        try:
            await self._answer_all(spoken)
        except ClosingError as closing:
            await self._channel.close(closing.code, closing.reason)
        except GoneError:
            pass
        except Exception:
            log.exception("unexpected error")
            await self._channel.close(Close.INTERNAL_ERROR, "Internal error")

    async def _answer_all(self, spoken: bool) -> None:
        if not spoken:
            raise ClosingError(Close.NO_SUBPROTOCOL, f"The subprotocol must be {SUBPROTOCOL}")
        seconds = self._state.settings.websocket_init_timeout_seconds
        try:
            async with asyncio.timeout(seconds) as until_init:
                while True:
                    await self._answer(await self._channel.receive())
                    if self._viewer is not None:
                        until_init.reschedule(None)
        except TimeoutError:
            audit.limits(ErrorCode.REQUEST_TIMEOUT)
            raise ClosingError(Close.INIT_TIMEOUT, "Connection initialisation timeout") from None

    async def _answer(self, message: Message) -> None:
        match message.type:
            case "connection_init":
                await self._init(message.payload or {})
            case "ping":
                payload = {} if message.payload is None else {"payload": message.payload}
                await self._channel.send({"type": "pong", **payload})
            case "subscribe":
                if self._viewer is None:
                    audit.refused(ErrorCode.UNAUTHENTICATED)
                    raise ClosingError(Close.UNAUTHORIZED, "Unauthorized")
                await self._running.begin(message, self._viewer)
            case "complete":
                await self._running.complete(message.id)

    async def _init(self, payload: dict[str, Any]) -> None:
        if self._viewer is not None:
            raise ClosingError(Close.SECOND_INIT, "Too many initialisation requests")
        credential = await self._sign_in(payload)
        self._viewer = credential.viewer
        # Its place is the viewer's from now on.
        self._place.leave()
        try:
            self._place = self._state.gate.connections.take(key(self._viewer))
        except BusyError as error:
            audit.limits(error.code)
            raise ClosingError(Close.TRY_AGAIN_LATER, error.message) from None
        self._leave = self._state.connections.watch(credential, self._lapse)
        await self._channel.send({"type": "connection_ack"})

    async def _sign_in(self, payload: dict[str, Any]) -> Credential:
        try:
            return await self._state.sign_in(from_init(payload, self._headers))
        except MissingTokenError:
            raise ClosingError(Close.UNAUTHORIZED, "Unauthorized") from None
        except UnauthenticatedError:
            raise ClosingError(Close.FORBIDDEN, "Forbidden") from None
        except UnavailableError as error:
            raise ClosingError(Close.TRY_AGAIN_LATER, error.message) from None
        except JoblensError as error:
            raise ClosingError(Close.FORBIDDEN, error.message) from None

    def _lapse(self) -> None:
        if not self._lapsed.done():
            self._lapsed.set_result(None)

    async def _end_with_process(self) -> None:
        """Once the process ends: let operations end in good order, and close."""
        await self._state.ending.wait()
        with suppress(GoneError, TimeoutError):
            async with asyncio.timeout(ENDING_SECONDS):
                await self._running.finish()
        await self._channel.close(Close.GOING_AWAY, "The server is going away")

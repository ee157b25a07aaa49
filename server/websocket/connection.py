"""A WebSocket connection: its initialisation, authentication, messages and end."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import structlog

from resolvers.errors import ErrorCode, JoblensError, UnavailableError
from resolvers.viewer import Viewer
from server.app_state import AppState
from server.auth.credentials import (
    Credential,
    MissingTokenError,
    UnauthenticatedError,
    from_init,
)
from server.limits.admission import viewer_key
from server.limits.concurrency import Slot
from server.limits.errors import BusyError
from server.logging import audit
from server.websocket.channel import ENDING_SECONDS, Channel, GoneError
from server.websocket.messages import SUBPROTOCOL, Close, ClosingError, Message
from server.websocket.operations import RunningOperations, cancel

log = structlog.get_logger("joblens.websocket")


class WebSocketSession:
    """One client's connection. `slot`: the connection's, acquired at the handshake."""

    def __init__(
        self, channel: Channel, headers: Mapping[str, str], state: AppState, slot: Slot
    ) -> None:
        self._channel = channel
        self._headers = headers
        self._state = state
        self._slot = slot
        self._viewer: Viewer | None = None
        self._running = RunningOperations(channel, state)
        # Done once the connection's credential is no longer valid.
        self._revoked = asyncio.get_running_loop().create_future()
        self._stop_watching: Callable[[], None] | None = None

    async def serve(self, *, is_supported: bool) -> None:
        """Handle messages until the connection ends, then stop all that it runs.

        `is_supported`: whether the client offered the subprotocol.
        """
        handling = asyncio.create_task(self._handle_all(is_supported))
        ending = asyncio.create_task(self._end_with_process())
        try:
            ends: set[asyncio.Future[None]] = {handling, ending, self._revoked}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if self._revoked.done():
                audit.log_refusal(ErrorCode.UNAUTHENTICATED)
                await self._channel.close(Close.FORBIDDEN, "The token has expired or was revoked")
        finally:
            if self._stop_watching is not None:
                self._stop_watching()
            await cancel(handling, ending, *self._running.tasks)
            self._slot.release()

    async def _handle_all(self, is_supported: bool) -> None:
        try:
            await self._receive_all(is_supported)
        except ClosingError as closing:
            await self._channel.close(closing.code, closing.reason)
        except GoneError:
            pass
        except Exception:
            log.exception("unexpected error")
            await self._channel.close(Close.INTERNAL_ERROR, "Internal error")

    async def _receive_all(self, is_supported: bool) -> None:
        if not is_supported:
            raise ClosingError(Close.NO_SUBPROTOCOL, f"The subprotocol must be {SUBPROTOCOL}")
        seconds = self._state.settings.websocket_init_timeout_seconds
        try:
            async with asyncio.timeout(seconds) as until_init:
                while True:
                    await self._handle(await self._channel.receive())
                    if self._viewer is not None:
                        until_init.reschedule(None)
        except TimeoutError:
            audit.log_limits(ErrorCode.REQUEST_TIMEOUT)
            raise ClosingError(Close.INIT_TIMEOUT, "Connection initialisation timeout") from None

    async def _handle(self, message: Message) -> None:
        match message.type:
            case "connection_init":
                await self._init(message.payload or {})
            case "ping":
                payload = {} if message.payload is None else {"payload": message.payload}
                await self._channel.send({"type": "pong", **payload})
            case "subscribe":
                if self._viewer is None:
                    audit.log_refusal(ErrorCode.UNAUTHENTICATED)
                    raise ClosingError(Close.UNAUTHORIZED, "Unauthorized")
                await self._running.start(message, self._viewer)
            case "complete":
                await self._running.complete(message.id)

    async def _init(self, payload: dict[str, Any]) -> None:
        if self._viewer is not None:
            raise ClosingError(Close.SECOND_INIT, "Too many initialisation requests")
        credential = await self._sign_in(payload)
        self._viewer = credential.viewer
        # From now on it counts as the viewer's, not as its network's.
        self._slot.release()
        try:
            self._slot = self._state.admission.connections.acquire(viewer_key(self._viewer))
        except BusyError as error:
            audit.log_limits(error.code)
            raise ClosingError(Close.TRY_AGAIN_LATER, error.message) from None
        self._stop_watching = self._state.connections.watch(credential, self._set_revoked)
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

    def _set_revoked(self) -> None:
        if not self._revoked.done():
            self._revoked.set_result(None)

    async def _end_with_process(self) -> None:
        """When the process ends: end operations in order, and close the connection."""
        await self._state.ending.wait()
        with suppress(GoneError, TimeoutError):
            async with asyncio.timeout(ENDING_SECONDS):
                await self._running.finish()
        await self._channel.close(Close.GOING_AWAY, "The server is going away")

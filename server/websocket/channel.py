"""What goes over a WebSocket: whole messages, one after another, until it is closed or lost."""

import asyncio
from contextlib import suppress
from typing import Any

from starlette.types import Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from resolvers.errors import ErrorCode
from server.http.responses import dumps
from server.logging import audit
from server.uvicorn.websocket_protocol import SEND_MANY
from server.websocket.messages import Close, Message, read_message

MAX_REASON_BYTES = 123
# How long the last words may take at the end of the process.
ENDING_SECONDS = 2
# The protocol itself closes with it when a message is too large.
TOO_LARGE = 1009


class GoneError(Exception):
    """Nothing can be sent any more."""


class Channel:
    """One end of a WebSocket. `send_many`: what takes several messages at once, where there is."""

    def __init__(self, socket: WebSocket, send_many: Send | None) -> None:
        self._socket = socket
        self._send_many = send_many
        self._sending = asyncio.Lock()
        self._closed = False

    async def receive(self) -> Message:
        """Wait for the next message. Raises GoneError and NoMessageError."""
        frame = await self._socket.receive()
        if frame["type"] == "websocket.disconnect":
            if frame.get("code") == TOO_LARGE:
                audit.limits(ErrorCode.PAYLOAD_TOO_LARGE)
            raise GoneError
        return read_message(frame)

    async def send(self, message: dict[str, Any]) -> None:
        """Send a message. Raises GoneError."""
        await self.send_texts([dumps(message)])

    async def send_texts(self, texts: list[bytes]) -> None:
        """Send messages that are written already. Raises GoneError."""
        async with self._sending:
            if self._closed:
                raise GoneError
            try:
                if self._send_many is not None:
                    await self._send_many({"type": SEND_MANY, "texts": texts})
                    return
                for text in texts:
                    await self._socket.send_text(text.decode())
            except (OSError, WebSocketDisconnect, RuntimeError):
                # RuntimeError: the server has closed the connection, and we have yet to hear of it.
                raise GoneError from None

    async def close(self, code: Close, reason: str) -> None:
        """Close it, if it is still open."""
        self._closed = True
        short = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
        # A client that reads nothing must not hold us up: it finds the connection lost.
        with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            async with asyncio.timeout(ENDING_SECONDS):
                await self._socket.close(code.value, short)

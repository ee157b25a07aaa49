"""Send and receive the messages of a WebSocket, until it is closed or lost."""

import asyncio
from contextlib import suppress
from typing import Any

from starlette.types import Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from resolvers.errors import ErrorCode
from server.logging import audit
from server.response_encoding import dumps
from server.uvicorn.websocket_protocol import SEND_MANY
from server.websocket.messages import Close, Message, read_message

MAX_REASON_BYTES = 123
# How long the last messages may take at shutdown.
ENDING_SECONDS = 2
# The close code of uvicorn's protocol for a message that is too large.
TOO_LARGE = 1009


class GoneError(Exception):
    """The connection is closed: nothing more can be sent."""


class Channel:
    """The server's end of a WebSocket. `send_many`: sends several messages at once."""

    def __init__(self, socket: WebSocket, send_many: Send | None) -> None:
        self._socket = socket
        self._send_many = send_many
        self._sending = asyncio.Lock()
        self._closed = False

    async def receive(self) -> Message:
        """Wait for the next message. Raises GoneError and InvalidMessageError."""
        frame = await self._socket.receive()
        if frame["type"] == "websocket.disconnect":
            if frame.get("code") == TOO_LARGE:
                audit.log_limits(ErrorCode.PAYLOAD_TOO_LARGE)
            raise GoneError
        return read_message(frame)

    async def send(self, message: dict[str, Any]) -> None:
        """Send a message. Raises GoneError."""
        await self.send_texts([dumps(message)])

    async def send_texts(self, texts: list[bytes]) -> None:
        """Send encoded messages. Raises GoneError."""
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
                # RuntimeError: the server has closed the connection, which is not reported yet.
                raise GoneError from None

    async def close(self, code: Close, reason: str) -> None:
        """Close the connection, unless it is closed."""
        self._closed = True
        truncated = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
        # Do not wait for a client that reads nothing.
        with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            async with asyncio.timeout(ENDING_SECONDS):
                await self._socket.close(code.value, truncated)

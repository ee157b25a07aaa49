"""uvicorn's protocols, taught to tell the application that the process ends before they hang up."""

from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import OPEN

from server.settings import Settings

try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as _HttpProtocol
except ImportError:  # there is none for Windows
    from uvicorn.protocols.http.h11_impl import (  # type: ignore[assignment]
        H11Protocol as _HttpProtocol,
    )

# An ASGI extension: one message that carries the `texts` (bytes) of several WebSocket messages, so
# that they are written at once.
SEND_MANY = "joblens.websocket.send_many"
# The application's lifespan leaves its event here for the protocols to set.
ENDING = "ending"
CLOSING_SECONDS = 2.0


class HttpProtocol(_HttpProtocol):
    """HTTP; streams of events learn of the end."""

    def shutdown(self) -> None:
        """End the connection, a response that is being sent first."""
        self.app_state[ENDING].set()
        super().shutdown()


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """WebSocket; the application itself closes its connections at the end."""

    async def run_asgi(self) -> None:
        """Run the application, which may send several messages at once."""
        self.scope["extensions"][SEND_MANY] = {}
        await super().run_asgi()

    async def send(self, message: Any) -> None:
        """Send a message of ASGI, or of our extension to it."""
        if message["type"] != SEND_MANY:
            await super().send(message)
            return
        await self.writable.wait()
        if self.disconnected or self.conn.state is not OPEN:
            raise ClientDisconnected
        # The library's own frames take ten times as long, more than all else that a message costs.
        frames = [part for text in message["texts"] for part in (_frame_head(len(text)), text)]
        self.transport.write(b"".join([*self.conn.data_to_send(), *frames]))

    def shutdown(self) -> None:
        """Leave it to the application to say goodbye, if there is anybody to say it to."""
        self.app_state[ENDING].set()
        self.close_timeout = CLOSING_SECONDS
        if self.close_sent or not self.handshake_complete:
            super().shutdown()

    def keepalive_timeout(self) -> None:
        """Give up a client that is silent, even if it never reads what it was sent."""
        super().keepalive_timeout()
        self.loop.call_later(CLOSING_SECONDS, self.transport.abort)

    def send_receive_event_to_app(self) -> None:
        """Hand a message on; one that is not UTF-8 ends the connection without a traceback."""
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self.conn.fail(1007, "Text must be UTF-8")
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()


def _frame_head(size: int) -> bytes:
    """Write what goes before a server's text message of so many bytes (RFC 6455, section 5.2)."""
    if size < 126:  # noqa: PLR2004 - the lengths are those of the RFC
        return bytes([0x81, size])
    if size < 65_536:  # noqa: PLR2004
        return b"\x81\x7e" + size.to_bytes(2, "big")
    return b"\x81\x7f" + size.to_bytes(8, "big")


def options(settings: Settings) -> dict[str, Any]:
    """Get what uvicorn is to be told of protocols."""
    return {
        "http": HttpProtocol,
        "ws": WebSocketProtocol,
        "ws_max_size": settings.max_body_bytes,
        "ws_ping_interval": settings.websocket_ping_seconds,
        "ws_ping_timeout": settings.websocket_ping_seconds,
        # Events are small and many: compressing each for each client would cost more than it saves.
        "ws_per_message_deflate": False,
    }

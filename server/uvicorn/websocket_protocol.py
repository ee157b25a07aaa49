"""uvicorn's WebSocket protocol, with limits, fairness and a clean shutdown; uvicorn's options."""

import asyncio
import logging
from collections.abc import Iterable, Iterator
from functools import partial
from http import HTTPStatus
from ipaddress import ip_network
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Response as Handshake
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from resolvers.errors import ErrorCode, JoblensError
from server.http.errors import HTTP_STATUSES
from server.http.responses import write_error
from server.logging.audit import AUDIT, AuditContext
from server.settings import Settings
from server.uvicorn.http_protocol import HttpProtocol
from server.uvicorn.shutdown import CLOSING_SECONDS, ENDING

MAX_FRAGMENTS = 1_024
# After this long without data from the client, it is assumed to have read the close frame.
SILENT_SECONDS = 0.5
# How much of a client's data is read before other connections are served.
READ_AT_ONCE_BYTES = 4_096

# uvicorn logs each connection with its whole URL, which may hold secrets; our own log line omits
# the query.
log = logging.getLogger("uvicorn.error.websocket")
log.setLevel(logging.WARNING)

# An ASGI extension: one message that carries the `texts` (bytes) of several WebSocket messages, so
# that they are written at once.
SEND_MANY = "joblens.websocket.send_many"
# Set on every response. Content security policy and caching are set for each response.
HEADERS = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
]


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """WebSocket. At shutdown the application itself closes its connections."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = log
        self.conn = _HandshakeProtocol(self)
        self._unread = bytearray()
        self._scheduled_read: asyncio.Handle | None = None
        # Set when the connection has failed: data is discarded until then.
        self._failed_until: float | None = None
        self._is_silent = True

    async def run_asgi(self) -> None:
        """Run the application, with the extension SEND_MANY."""
        self.scope["extensions"][SEND_MANY] = {}
        await super().run_asgi()

    async def send(self, message: Any) -> None:
        """Send an ASGI message, or one of SEND_MANY."""
        if message["type"] != SEND_MANY:
            await super().send(message)
            self._schedule_read()
            return
        await self.writable.wait()
        if self.disconnected or self.conn.state is not OPEN:
            raise ClientDisconnected
        # The library takes ten times as long to write frames, longer than all other work.
        frames = [data for text in message["texts"] for data in (_frame_head(len(text)), text)]
        self.transport.write(b"".join([*self.conn.data_to_send(), *frames]))

    def shutdown(self) -> None:
        """Let the application close an open connection; close it here otherwise."""
        self.app_state[ENDING].set()
        self.close_timeout = CLOSING_SECONDS
        if self.close_sent or not self.handshake_complete:
            super().shutdown()

    def keepalive_timeout(self) -> None:
        """Abort the connection of a client that does not answer pings, even if it reads nothing."""
        super().keepalive_timeout()
        self.loop.call_later(CLOSING_SECONDS, self.transport.abort)

    def data_received(self, data: bytes) -> None:
        """Read data in pieces, so that thousands of tiny frames do not block other connections."""
        self._is_silent = False
        if self._failed_until is not None or self.transport.is_closing():
            return
        if self.handshake_initiated:
            self._unread += data
            if self._scheduled_read is None:
                self._read_piece()
            return
        super().data_received(data)
        if not self.handshake_initiated:
            # The handshake could not be parsed.
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def _read_piece(self) -> None:
        self._scheduled_read = None
        if self.read_paused or self.transport.is_closing():
            return
        if not self.handshake_complete:
            # Frames sent before the handshake's response are read after it.
            self.transport.pause_reading()
            return
        piece = bytes(self._unread[:READ_AT_ONCE_BYTES])
        del self._unread[:READ_AT_ONCE_BYTES]
        super().data_received(piece)
        if self._unread:
            self._schedule_read()
        elif not (self.read_paused or self.transport.is_closing()):
            self.transport.resume_reading()

    def handle_parser_exception(self) -> None:
        """Close the connection, once the client has had time to read the close frame.

        Not with EOF as over HTTP: asyncio clients that are still sending would fail on it.
        """
        if self._failed_until is not None:
            return
        assert self.conn.close_sent is not None
        code, reason = self.conn.close_sent.code, self.conn.close_sent.reason
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self._unread.clear()
        self._failed_until = self.loop.time() + self.close_timeout
        self._close_if_silent()

    def _close_if_silent(self) -> None:
        assert self._failed_until is not None
        if self._is_silent or self.loop.time() > self._failed_until:
            self.transport.close()
        else:
            self._is_silent = True
            self.transport.resume_reading()
            self.close_timer = self.loop.call_later(SILENT_SECONDS, self._close_if_silent)

    def _schedule_read(self) -> None:
        """Read the rest after other connections; pause reading new data until then."""
        if self._unread and not self.transport.is_closing():
            self.transport.pause_reading()
            if self._scheduled_read is None and not self.read_paused:
                self._scheduled_read = self.loop.call_soon(self._read_piece)

    async def receive(self) -> Any:
        """Return the next message to the application."""
        message = await super().receive()
        self._schedule_read()
        return message

    def handle_ping(self) -> None:
        """Answer a ping, unless the client does not read the pongs."""
        pongs = self.conn.data_to_send()
        if self.writable.is_set() and self._failed_until is None:
            self.transport.write(b"".join(pongs))

    def handle_cont(self, event: Any) -> None:
        """Add a fragment; too many in one message close the connection."""
        if len(self.frames) >= MAX_FRAGMENTS:
            self._fail(1009, "Too many fragments")
        else:
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        """Pass a message on; one that is not UTF-8 closes the connection."""
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self._fail(1007, "Text must be UTF-8")
                return
        super().send_receive_event_to_app()

    def _fail(self, code: int, reason: str) -> None:
        self.frames = []
        self.conn.fail(code, reason)
        self.handle_parser_exception()


class _HandshakeProtocol(ServerProtocol):
    """The handshake of `websockets`, with errors in our format."""

    def __init__(self, protocol: WebSocketProtocol) -> None:
        config = protocol.config
        super().__init__(max_size=config.ws_max_size, logger=protocol.logger)
        self._protocol = protocol

    def reject(self, status: int, text: str) -> Handshake:
        """Refuse the handshake."""
        rejection = super().reject(status, text)
        error = JoblensError(
            _code_of(rejection.status_code), text.strip() or rejection.reason_phrase
        )
        if error.code is ErrorCode.HEADERS_TOO_LARGE:
            audit_log = self._protocol.app_state[AUDIT]
            audit_log.log_refusal(
                AuditContext(audit_log, "websocket", self._protocol.client), error.code
            )
        response = write_error(error, status=rejection.status_code)
        for name, value in response.headers.items():
            if name in rejection.headers:
                del rejection.headers[name]
            rejection.headers[name] = value
        rejection.body = bytes(response.body)
        return rejection

    def send_response(self, response: Handshake) -> None:
        """Send the response to the handshake; nothing follows a refusal."""
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            for name, value in self._protocol.default_headers:
                # Not `date`, which is set already.
                response.headers.setdefault(name.decode(), value.decode())
            # Otherwise uvicorn assumes that the application did not respond.
            self._protocol.handshake_complete = True
        super().send_response(response)


def _frame_head(size: int) -> bytes:
    """Encode the frame header of a text message of `size` bytes (RFC 6455, section 5.2)."""
    if size < 126:  # noqa: PLR2004 - lengths of the RFC
        return bytes([0x81, size])
    if size < 65_536:  # noqa: PLR2004
        return b"\x81\x7e" + size.to_bytes(2, "big")
    return b"\x81\x7f" + size.to_bytes(8, "big")


def options(settings: Settings) -> dict[str, Any]:
    """Get uvicorn's options for protocols."""
    return {
        "http": partial(HttpProtocol, head_timeout_seconds=settings.head_timeout_seconds),
        "ws": WebSocketProtocol,
        "ws_max_size": settings.max_body_bytes,
        "ws_ping_interval": settings.websocket_ping_seconds,
        "ws_ping_timeout": settings.websocket_ping_seconds,
        # Events are many and small: compressing each for each client costs more than it saves.
        "ws_per_message_deflate": False,
        "headers": HEADERS,
        # Any client can send X-Forwarded-For.
        "proxy_headers": bool(settings.proxies),
        "forwarded_allow_ips": list(_with_mapped(settings.proxies)),
        "server_header": False,
    }


def _with_mapped(networks: Iterable[str]) -> Iterator[str]:
    """Yield networks, those of IPv4 also as a dual-stack socket reports them."""
    for network in map(ip_network, networks):
        yield str(network)
        if network.version == 4:  # noqa: PLR2004
            yield f"::ffff:{network.network_address}/{96 + network.prefixlen}"


def _code_of(status: int) -> ErrorCode:
    codes = {http_status: code for code, http_status in HTTP_STATUSES.items()}
    return ErrorCode.BAD_REQUEST if status == 400 else codes.get(status, ErrorCode.BAD_REQUEST)  # noqa: PLR2004

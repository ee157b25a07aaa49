"""uvicorn's protocols, taught to tell the application that the process ends before they hang up."""

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
# A client that has sent nothing for so long has read why its connection failed.
SILENT_SECONDS = 0.5
# Of what a client sends at once, so much is read before others have their turn.
READ_AT_ONCE_BYTES = 4_096

# What uvicorn has to say of each connection has its whole URL, with what clients put there by
# mistake; our own line tells of it without.
log = logging.getLogger("uvicorn.error.websocket")
log.setLevel(logging.WARNING)

# An ASGI extension: one message that carries the `texts` (bytes) of several WebSocket messages, so
# that they are written at once.
SEND_MANY = "joblens.websocket.send_many"
# On whatever is answered. What pages may load, and who may keep an answer, is told one by one.
HEADERS = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
]


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """WebSocket; the application itself closes its connections at the end."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = log
        self.conn = _Handshakes(self)
        self._unread = bytearray()
        self._turn: asyncio.Handle | None = None
        # Set where the connection fails: until then, further data is discarded.
        self._failed_until: float | None = None
        self._is_silent = True

    async def run_asgi(self) -> None:
        """Run the application, which may send several messages at once."""
        self.scope["extensions"][SEND_MANY] = {}
        await super().run_asgi()

    async def send(self, message: Any) -> None:
        """Send a message of ASGI, or of our extension to it."""
        if message["type"] != SEND_MANY:
            await super().send(message)
            self._take_turns()
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

    def data_received(self, data: bytes) -> None:
        """Read on; thousands of tiny frames are read in pieces, so that they hold up nobody."""
        self._is_silent = False
        if self._failed_until is not None or self.transport.is_closing():
            return
        if self.handshake_initiated:
            self._unread += data
            if self._turn is None:
                self._read_on()
            return
        super().data_received(data)
        if not self.handshake_initiated:
            # It cannot even be read.
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def _read_on(self) -> None:
        self._turn = None
        if self.read_paused or self.transport.is_closing():
            return
        if not self.handshake_complete:
            # Frames that come before our answer are read after it.
            self.transport.pause_reading()
            return
        piece = bytes(self._unread[:READ_AT_ONCE_BYTES])
        del self._unread[:READ_AT_ONCE_BYTES]
        super().data_received(piece)
        if self._unread:
            self._take_turns()
        elif not (self.read_paused or self.transport.is_closing()):
            self.transport.resume_reading()

    def handle_parser_exception(self) -> None:
        """End the connection, once the client has had time to read why.

        There is no half-closing, as of other connections: clients of `asyncio` that are still
        sending close theirs at once, and break.
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

    def _take_turns(self) -> None:
        """Read what is left when others have had their turn, and nothing new before."""
        if self._unread and not self.transport.is_closing():
            self.transport.pause_reading()
            if self._turn is None and not self.read_paused:
                self._turn = self.loop.call_soon(self._read_on)

    async def receive(self) -> Any:
        """Give the application the next message."""
        message = await super().receive()
        self._take_turns()
        return message

    def handle_ping(self) -> None:
        """Answer a ping, unless the client has left the answers to others unread."""
        answers = self.conn.data_to_send()
        if self.writable.is_set() and self._failed_until is None:
            self.transport.write(b"".join(answers))

    def handle_cont(self, event: Any) -> None:
        """Take another fragment; a message in countless empty ones ends the connection."""
        if len(self.frames) >= MAX_FRAGMENTS:
            self._fail(1009, "Too many fragments")
        else:
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        """Hand a message on; one that is not UTF-8 ends the connection without a traceback."""
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


class _Handshakes(ServerProtocol):
    """The handshake of `websockets`, with refusals in our form."""

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
            audit_log.refused(
                AuditContext(audit_log, "websocket", self._protocol.client), error.code
            )
        answer = write_error(error, status=rejection.status_code)
        for name, value in answer.headers.items():
            if name in rejection.headers:
                del rejection.headers[name]
            rejection.headers[name] = value
        rejection.body = bytes(answer.body)
        return rejection

    def send_response(self, response: Handshake) -> None:
        """Send an answer to the handshake; a refusal is the last thing there is to send."""
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            for name, value in self._protocol.default_headers:
                # There is a date already.
                response.headers.setdefault(name.decode(), value.decode())
            # Or uvicorn takes the application for one that forgot to answer.
            self._protocol.handshake_complete = True
        super().send_response(response)


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
        "http": partial(HttpProtocol, head_timeout_seconds=settings.head_timeout_seconds),
        "ws": WebSocketProtocol,
        "ws_max_size": settings.max_body_bytes,
        "ws_ping_interval": settings.websocket_ping_seconds,
        "ws_ping_timeout": settings.websocket_ping_seconds,
        # Events are small and many: compressing each for each client would cost more than it saves.
        "ws_per_message_deflate": False,
        "headers": HEADERS,
        # Anybody can send X-Forwarded-For.
        "proxy_headers": bool(settings.proxies),
        "forwarded_allow_ips": list(_as_seen(settings.proxies)),
        "server_header": False,
    }


def _as_seen(networks: Iterable[str]) -> Iterator[str]:
    """Yield networks, those of IPv4 also as a socket for both shows them."""
    for network in map(ip_network, networks):
        yield str(network)
        if network.version == 4:  # noqa: PLR2004
            yield f"::ffff:{network.network_address}/{96 + network.prefixlen}"


def _code_of(status: int) -> ErrorCode:
    codes = {http_status: code for code, http_status in HTTP_STATUSES.items()}
    return ErrorCode.BAD_REQUEST if status == 400 else codes.get(status, ErrorCode.BAD_REQUEST)  # noqa: PLR2004

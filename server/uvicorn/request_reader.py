"""Read the requests of a connection in order, with strict boundaries between them."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import httptools
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from resolvers.errors import JoblensError
from server.uvicorn.request_heads import (
    MAX_HEAD_BYTES,
    bad_request,
    check_head,
    is_handshake,
    too_large,
)

# How much is parsed at once. The parser cannot stop in between, so it must hold few requests.
PARSED_AT_ONCE_BYTES = 1_024


class RequestReader(HttpToolsProtocol, ABC):
    """uvicorn's protocol, which stops parsing while a request waits for the one before it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parser = self._new_parser()
        self._unread = bytearray()
        # The request that is being answered; `cycle` is the newest one.
        self._running: RequestResponseCycle | None = None
        self._in_head = False
        self._head_bytes = 0
        # Bytes of neither head nor body, such as chunk sizes.
        self._framing_bytes = 0
        self._becomes_websocket = False
        # Further data is discarded.
        self._done = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start reading."""
        super().connection_made(transport)
        self.flow = _Flow(transport, lambda: not self._unread)

    def connection_lost(self, exc: Exception | None) -> None:
        """Mark the request that is being answered as disconnected, not only the newest."""
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse data up to the first request that has to wait."""
        if not (self._done or self.transport.is_closing()):
            self._unread += data
            self._parse_unread()

    def _parse_unread(self) -> None:
        while self._unread and not (self.pipeline or self._becomes_websocket or self._done):
            self._unset_keepalive_if_required()
            piece = bytes(self._unread[:PARSED_AT_ONCE_BYTES])
            del self._unread[:PARSED_AT_ONCE_BYTES]
            self._parse(piece)
        if self._done:
            self._unread.clear()
        elif self._becomes_websocket and self._has_answered():
            self.handle_websocket_upgrade()
        elif self._unread:
            self.flow.pause_reading()

    def _parse(self, piece: bytes) -> None:
        self._framing_bytes += len(piece)
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade as upgrade:
            self._unread[:0] = piece[upgrade.args[0] :]
            if self._should_upgrade():
                self._becomes_websocket = True
            else:
                self._parse_without_upgrade()
        except httptools.HttpParserError as error:
            # Raised by one of the methods that the parser calls, or by the parser itself.
            cause = error.__context__
            message = "Invalid HTTP request received."
            self._refuse(cause if isinstance(cause, JoblensError) else bad_request(message))
        else:
            if self._framing_bytes > MAX_HEAD_BYTES:
                self._refuse(too_large())

    @abstractmethod
    def _refuse(self, error: JoblensError) -> None:
        """Send an error, and close the connection."""

    def _parse_without_upgrade(self) -> None:
        """Parse the head again without the upgrade, with which the parser would expect no body."""
        method, version = self._start()
        lines = [b"%s %s HTTP/%s" % (method, self.url, version.encode())]
        lines += [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = self._new_parser()
        self._parse(b"\r\n".join([*lines, b"", b""]))

    def _new_parser(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self)
        # Otherwise 'Connection: close' in trailers would count; see `on_message_complete`.
        parser.set_dangerous_leniencies(lenient_keep_alive=True)
        return parser

    def _should_upgrade(self) -> bool:
        return is_handshake(*self._start(), self.headers)

    def _start(self) -> tuple[bytes, str]:
        return self.parser.get_method(), self.parser.get_http_version()

    def on_message_begin(self) -> None:
        """Start a head."""
        self._in_head = True
        self._head_bytes = self._framing_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Add a piece of the URL."""
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header. Trailers, after the body, are dropped (RFC 9110, section 6.5.1)."""
        self._count(name, value)
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start the request, or wait for those before it."""
        self._in_head = False
        self._framing_bytes = 0
        check_head(*self._start(), self.headers)
        if not self.parser.should_upgrade() or self._should_upgrade():
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Add a piece of the body."""
        self._framing_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request; without keep-alive it is the last."""
        if not self.parser.should_upgrade():
            super().on_message_complete()
            self._done = self._done or not self.cycle.keep_alive

    def on_response_complete(self) -> None:
        """Continue parsing: the next request can start."""
        super().on_response_complete()
        if not self.transport.is_closing():
            self._parse_unread()
            self.flow.resume_reading()
            if self._in_head:
                # The connection is not idle.
                self._unset_keepalive_if_required()

    def handle_websocket_upgrade(self) -> None:
        """Pass the connection on, with the data received after the handshake."""
        self._done = True
        self._unset_keepalive_if_required()
        super().handle_websocket_upgrade()
        protocol = self.transport.get_protocol()
        assert isinstance(protocol, asyncio.Protocol)
        self.transport.resume_reading()
        if self._unread:
            protocol.data_received(bytes(self._unread))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, _delimited(cycle, app))

    def _has_answered(self) -> bool:
        """Return whether all complete requests have been answered."""
        cycle = self._running
        if cycle is None or cycle.response_complete:
            return True
        return cycle is self.cycle and cycle.more_body

    def _count(self, *pieces: bytes) -> None:
        self._head_bytes += sum(map(len, pieces))
        if self._head_bytes > MAX_HEAD_BYTES:
            raise too_large()


class _Flow(FlowControl):
    """Resumes reading only if `may_resume()`: once all data read is parsed."""

    def __init__(self, transport: asyncio.Transport, may_resume: Callable[[], bool]) -> None:
        super().__init__(transport)
        self._may_resume = may_resume

    def resume_reading(self) -> None:
        """Resume reading if allowed."""
        if self._may_resume():
            super().resume_reading()


def _delimited(cycle: RequestResponseCycle, app: Any) -> Any:
    """Wrap an application so that client and server agree on where its response ends."""
    is_http_1_0 = cycle.scope["http_version"] == "1.0"
    if is_http_1_0:
        # HTTP/1.0 has no interim responses.
        cycle.waiting_for_100_continue = False
    elif not cycle.waiting_for_100_continue:
        return app

    async def delimited(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_delimited(message: Message) -> None:
            if cycle.waiting_for_100_continue and cycle.more_body:
                # The client may send the body, or leave it out (RFC 9110, section 10.1.1).
                cycle.keep_alive = False
            if is_http_1_0:
                # Without chunks, the connection's end delimits the response. Any length is right.
                cycle.chunked_encoding = False
                cycle.expected_content_length = len(message.get("body", b""))
            await send(message)

        await app(scope, receive, send_delimited)

    return delimited

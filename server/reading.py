"""Requests as they come over a connection: where each begins and ends, and which one is next."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import httptools
from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from resolvers.errors import ErrorCode, JoblensError

# For the URL and headers of a request; what other servers grant is no more.
MAX_HEAD_BYTES = 65_536
# How much is parsed at once. The parser cannot stop: so many bytes hold few requests.
PARSED_AT_ONCE_BYTES = 1_024

_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(:[0-9]*)?")


class RequestReader(HttpToolsProtocol):
    """uvicorn's protocol, which reads no further while a request waits for the one before it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # uvicorn's own would take what follows 'Connection: close' for another request.
        self.parser = httptools.HttpRequestParser(self)
        self._unread = bytearray()
        # The one that is being answered; `cycle` is the one that came last.
        self._running: RequestResponseCycle | None = None
        self._in_head = False
        self._head_bytes = 0
        # Of what is neither head nor body, such as the sizes of chunks.
        self._loose_bytes = 0
        self._becomes_websocket = False
        self._refusing: JoblensError | None = None
        # Whatever still comes is thrown away.
        self._done = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to read."""
        super().connection_made(transport)
        self.flow = _Flow(transport, lambda: not self._unread)

    def data_received(self, data: bytes) -> None:
        """Read what has come, as far as its time has come."""
        if not self._done:
            self._unread += data
            self._read_on()

    def _read_on(self) -> None:
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
        self._loose_bytes += len(piece)
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade as upgrade:
            self._unread[:0] = piece[upgrade.args[0] :]
            if self._should_upgrade():
                self._becomes_websocket = True
            else:
                self._parse_without_upgrade()
        except httptools.HttpParserError:
            self._refuse(self._refusing or _bad_request("Invalid HTTP request received."))
        else:
            if self._loose_bytes > MAX_HEAD_BYTES:
                self._refuse(_too_large())

    def _refuse(self, error: JoblensError) -> None:
        """Read no more; tell the client why."""
        raise NotImplementedError

    def _parse_without_upgrade(self) -> None:
        """Read the head once more: for the parser, a request to upgrade ends with it."""
        start = (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        lines = [b"%s %s HTTP/%s" % start]
        lines += [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self._parse(b"\r\n".join([*lines, b"", b""]))

    def _should_upgrade(self) -> bool:
        """Say whether this is a handshake of a WebSocket; any other upgrade is passed over."""
        upgrades = [value.strip().lower() for name, value in self.headers if name == b"upgrade"]
        start = (self.parser.get_method(), self.parser.get_http_version())
        return (
            upgrades == [b"websocket"]
            and start == (b"GET", "1.1")
            and not any(map(_announces_body, self.headers))
        )

    def on_message_begin(self) -> None:
        """Begin a head."""
        self._in_head = True
        self._head_bytes = self._loose_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a piece of the URL."""
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header. What comes after the body is none (RFC 9110, section 6.5.1)."""
        self._count(name, value)
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer, or wait for the requests before this one."""
        self._in_head = False
        self._loose_bytes = 0
        self._check_head()
        if not self.parser.should_upgrade() or self._should_upgrade():
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._loose_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on to what waited for this answer."""
        super().on_response_complete()
        if not self.transport.is_closing():
            self._read_on()
            self.flow.resume_reading()
            if self._in_head:
                # It is not idle.
                self._unset_keepalive_if_required()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over, with what has come already."""
        self._done = True
        self._unset_keepalive_if_required()
        super().handle_websocket_upgrade()
        protocol = self.transport.get_protocol()
        assert isinstance(protocol, asyncio.Protocol)
        self.transport.resume_reading()
        if self._unread:
            protocol.data_received(bytes(self._unread))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, _delimited(cycle, app))

    def _has_answered(self) -> bool:
        """Say whether all requests that came whole have been answered."""
        cycle = self._running
        if cycle is None or cycle.response_complete:
            return True
        return cycle is self.cycle and cycle.more_body

    def _count(self, *pieces: bytes) -> None:
        self._head_bytes += sum(map(len, pieces))
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refuse_head(_too_large())

    def _check_head(self) -> None:
        """Refuse what does not say clearly whom it asks, or where it ends."""
        version = self.parser.get_http_version()
        hosts = [value for name, value in self.headers if name == b"host"]
        if version not in {"1.0", "1.1"}:
            self._refuse_head(_bad_request("The version must be HTTP/1.1 or HTTP/1.0."))
        if self.parser.get_method() == b"CONNECT":
            self._refuse_head(_bad_request("This server is no proxy."))
        if len(hosts) > 1 or (version == "1.1" and not hosts):
            self._refuse_head(_bad_request("There must be one 'Host'."))
        if not all(map(_HOST.fullmatch, hosts)):
            self._refuse_head(_bad_request("'Host' must be a host's name, with or without a port."))
        if version == "1.0" and any(name == b"transfer-encoding" for name, _ in self.headers):
            self._refuse_head(_bad_request("HTTP/1.0 has no 'Transfer-Encoding'."))

    def _refuse_head(self, error: JoblensError) -> None:
        # The parser ends with this, and then the refusal is sent.
        self._refusing = error
        raise error


class _Flow(FlowControl):
    """Resumes reading only once what has been read is parsed: `may_resume`."""

    def __init__(self, transport: asyncio.Transport, may_resume: Callable[[], bool]) -> None:
        super().__init__(transport)
        self._may_resume = may_resume

    def resume_reading(self) -> None:
        """Read again, if there is room."""
        if self._may_resume():
            super().resume_reading()


def _announces_body(header: tuple[bytes, bytes]) -> bool:
    name, value = header
    return name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0")


def _delimited(cycle: RequestResponseCycle, app: ASGI3Application) -> ASGI3Application:
    """Wrap an application so that its answer ends, and the next begins, where the client thinks."""
    is_old = cycle.scope["http_version"] == "1.0"
    if is_old:
        # Nor has it interim answers.
        cycle.waiting_for_100_continue = False
    elif not cycle.waiting_for_100_continue:
        return app

    async def answer(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        async def send_delimited(message: Any) -> None:
            if cycle.waiting_for_100_continue and cycle.more_body:
                # Perhaps the body still comes, perhaps not (RFC 9110, section 10.1.1).
                cycle.keep_alive = False
            if is_old:
                # No chunks: the end of the connection tells. So any length is the one expected.
                cycle.chunked_encoding = False
                cycle.expected_content_length = len(message.get("body", b""))
            await send(message)

        await app(scope, receive, send_delimited)

    return answer


def _too_large() -> JoblensError:
    """Make the refusal of a head that is too large."""
    words = f"The URL and headers may have at most {MAX_HEAD_BYTES} bytes."
    return JoblensError(ErrorCode.HEADERS_TOO_LARGE, words)


def _bad_request(words: str) -> JoblensError:
    return JoblensError(ErrorCode.BAD_REQUEST, words)

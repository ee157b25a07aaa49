"""HTTP connections: uvicorn's, with deadlines, bounds, and refusals in our form.

Whoever keeps a connection must ask for something in time, and read what it was told.
"""

import asyncio
import math
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import structlog

from resolvers.errors import ErrorCode, JoblensError
from server.audit import AUDIT, AuditLog, Trail
from server.ending import CLOSING_SECONDS, ENDING
from server.responses import write_error

try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as _HttpProtocol
except ImportError:  # there is none for Windows
    from uvicorn.protocols.http.h11_impl import (  # type: ignore[assignment]
        H11Protocol as _HttpProtocol,
    )

# For the URL and headers of a request; what other servers grant is no more.
MAX_HEAD_BYTES = 65_536
# How long a client may read nothing of what waits for it.
STALLED_SECONDS = 60.0

log = structlog.get_logger("joblens.http")


class HttpProtocol(_HttpProtocol):
    """HTTP; streams of events learn of the end, and requests have to come in time."""

    def __init__(self, *args: Any, head_timeout_seconds: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_timeout_seconds = head_timeout_seconds
        # Runs while the connection owes us a request, not while we owe it an answer.
        self._deadline: asyncio.TimerHandle | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._begun = False
        self._head_bytes = 0
        self._loose_bytes = 0
        self._refusing: JoblensError | None = None
        self._done = False

    def shutdown(self) -> None:
        """End the connection, a response that is being sent first."""
        self.app_state[ENDING].set()
        super().shutdown()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._wait_no_more()
        self._watch_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the connection has been given up."""
        if self._done:
            return
        self._loose_bytes += len(data)
        super().data_received(data)
        self._look_on()

    def _look_on(self) -> None:
        """Decide what is owed now: a request, or an answer."""
        if self._done:
            self._wait_no_more()
        elif self._loose_bytes > MAX_HEAD_BYTES:
            self._refuse(_too_large())
        elif self.cycle is None or self.cycle.response_complete:
            self._wait()
        elif self._deadline is not None:
            self._wait_no_more()

    def handle_websocket_upgrade(self, *args: Any) -> None:
        """Hand the connection over."""
        self._done = True
        super().handle_websocket_upgrade(*args)

    def on_message_begin(self) -> None:
        """Count anew."""
        self._begun = True
        self._head_bytes = self._loose_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a piece of the URL."""
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or a trailer after the body."""
        self._count(name, value)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        self._begun = False
        self._loose_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._loose_bytes = 0
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser cannot read, or what was refused while it read."""
        self._refuse(self._refusing or JoblensError(ErrorCode.BAD_REQUEST, msg))

    def _count(self, *pieces: bytes) -> None:
        self._head_bytes += sum(map(len, pieces))
        if self._head_bytes > MAX_HEAD_BYTES:
            # The parser ends with this, and then the refusal is sent.
            self._refusing = _too_large()
            raise self._refusing

    def _wait(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self._head_timeout_seconds, self._give_up)

    def _wait_no_more(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if self._begun:
            words = f"A request must begin within {self._head_timeout_seconds:g} seconds."
            self._refuse(JoblensError(ErrorCode.REQUEST_TIMEOUT, words))
        else:
            # Browsers open connections for later: there is nobody to tell.
            self.transport.close()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the client to read what it was sent."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._watch_reading()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection."""
        super().timeout_keep_alive_handler()
        self._watch_reading()

    def pause_writing(self) -> None:
        """Write no more until the client has read; see that it does."""
        super().pause_writing()
        self._watch_reading()

    def resume_writing(self) -> None:
        """Write on."""
        super().resume_writing()
        if not self.transport.is_closing():
            self._watch_no_more()

    def _watch_reading(self, left: float = math.inf) -> None:
        """Give up a client that reads nothing of what only it can take away."""
        self._watch_no_more()
        unread = self.transport.get_write_buffer_size()
        if unread >= left:
            self.transport.abort()
        elif unread:
            self._watch = self.loop.call_later(STALLED_SECONDS, self._watch_reading, unread)

    def _watch_no_more(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _may_speak(self) -> bool:
        """Say whether a refusal would be read as one; if not, end the connection without."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return True
        if not cycle.more_body:
            # The request before this one gets its answer.
            cycle.keep_alive = False
            return False
        cycle.disconnected = True
        cycle.message_event.set()
        if cycle.response_started:
            self.transport.close()
        return not cycle.response_started

    def _refuse(self, error: JoblensError) -> None:
        """Send the last words of this connection, and give the client time to read them."""
        self._done = True
        self._wait_no_more()
        if self.transport.is_closing() or not self._may_speak():
            return
        request_id = uuid4().hex
        log.info("refused", code=error.code.value, request_id=request_id)
        audit_log: AuditLog = self.app_state[AUDIT]
        trail = Trail(audit_log, "http", self.client)
        audit_log.limited(trail, error.code, request_id=request_id)
        self.transport.write(_as_bytes(error, request_id, self.server_state.default_headers))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        # With what it still sends unread, closing at once might destroy the words on their way.
        self.loop.call_later(CLOSING_SECONDS, self.transport.close)


def _too_large() -> JoblensError:
    words = f"The URL and headers may have at most {MAX_HEAD_BYTES} bytes."
    return JoblensError(ErrorCode.HEADERS_TOO_LARGE, words)


def _as_bytes(
    error: JoblensError, request_id: str, default_headers: list[tuple[bytes, bytes]]
) -> bytes:
    """Write a whole answer, for there is no request that an application could answer."""
    response = write_error(error)
    response.headers["connection"] = "close"
    response.headers["x-request-id"] = request_id
    status = HTTPStatus(response.status_code)
    lines = [b"HTTP/1.1 %d %s" % (status.value, status.phrase.encode())]
    lines += [name + b": " + value for name, value in (*default_headers, *response.raw_headers)]
    return b"\r\n".join([*lines, b"", bytes(response.body)])

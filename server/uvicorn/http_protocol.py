"""HTTP connections: uvicorn's, with deadlines, bounds, and refusals in our form.

Whoever keeps a connection must ask for something in time, and read what it was told.
"""

import asyncio
import math
from http import HTTPStatus
from typing import Any, cast
from uuid import uuid4

import structlog

from resolvers.errors import ErrorCode, JoblensError
from server.http.responses import write_error
from server.logging.audit import AUDIT, AuditContext, AuditLog
from server.uvicorn.lingering import LingeringTransport
from server.uvicorn.request_reader import RequestReader
from server.uvicorn.shutdown import ENDING

# How long a client may read nothing of what waits for it.
STALLED_SECONDS = 60.0

log = structlog.get_logger("joblens.http")


class HttpProtocol(RequestReader):
    """HTTP; streams of events learn of the end, and requests have to come in time."""

    def __init__(self, *args: Any, head_timeout_seconds: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_timeout_seconds = head_timeout_seconds
        # Runs while the connection owes us a request, not while we owe it an answer.
        self._deadline: asyncio.TimerHandle | None = None
        self._watch: asyncio.TimerHandle | None = None
        # To be sent after the answers to the requests before it.
        self._pending_refusal: JoblensError | None = None

    def shutdown(self) -> None:
        """End the connection, a response that is being sent first."""
        self.app_state[ENDING].set()
        super().shutdown()
        if self.transport.is_closing():
            # It need not linger any more.
            self.transport.close()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        lingering = LingeringTransport(transport, self.app_state[ENDING])
        super().connection_made(cast("asyncio.Transport", lingering))
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._wait_no_more()
        self._watch_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, and decide what is owed now."""
        super().data_received(data)
        self._look_on()

    def _look_on(self) -> None:
        """Decide what is owed now: a request, or an answer."""
        if not self._done and (self.cycle is None or self.cycle.response_complete):
            self._wait()
        else:
            self._wait_no_more()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over."""
        self._wait_no_more()
        self._watch_no_more()
        super().handle_websocket_upgrade()

    def _wait(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self._head_timeout_seconds, self._give_up)

    def _wait_no_more(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if self._in_head:
            words = f"A request must begin within {self._head_timeout_seconds:g} seconds."
            self._refuse(JoblensError(ErrorCode.REQUEST_TIMEOUT, words))
        else:
            # Browsers open connections for later: there is nobody to tell.
            self.transport.close()

    def on_response_complete(self) -> None:
        """Wait for the next request, or send the refusal of one."""
        super().on_response_complete()
        if self._pending_refusal is not None:
            self._refuse(self._pending_refusal)
        elif self.timeout_keep_alive_task is None and not self.transport.is_closing():
            self._look_on()

    def pause_writing(self) -> None:
        """Write no more until the client has read; see that it does."""
        super().pause_writing()
        self._watch_reading()

    def resume_writing(self) -> None:
        """Write on."""
        super().resume_writing()
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

    def _refuse(self, error: JoblensError) -> None:
        """Send an error, once all complete requests have been answered."""
        self._done = True
        self._wait_no_more()
        if self.pipeline and self.pipeline[0][0] is self.cycle and self.cycle.more_body:
            # It is the one that is refused.
            self.pipeline.popleft()
        self._pending_refusal = None if self._has_answered() else error
        if self._pending_refusal is None and not self.transport.is_closing() and self._may_speak():
            self._send_refusal(error)

    def _may_speak(self) -> bool:
        """Say whether a refusal would be read as one; if not, end the connection without."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return True
        cycle.disconnected = True
        cycle.waiting_for_100_continue = False
        cycle.message_event.set()
        if cycle.response_started:
            self.transport.close()
        return not cycle.response_started

    def _send_refusal(self, error: JoblensError) -> None:
        """Send an error that belongs to no request, and end the connection."""
        request_id = uuid4().hex
        log.info("refused", code=error.code.value, request_id=request_id)
        audit_log: AuditLog = self.app_state[AUDIT]
        trail = AuditContext(audit_log, "http", self.client)
        audit_log.limited(trail, error.code, request_id=request_id)
        self.transport.write(_as_bytes(error, request_id, self.server_state.default_headers))
        self.transport.close()


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

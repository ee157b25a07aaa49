"""uvicorn's HTTP protocol, with deadlines for clients, and errors in our format.

A client must send a request in time, and read the responses.
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

# How long a client may read nothing of the data buffered for it.
STALLED_SECONDS = 60.0

log = structlog.get_logger("joblens.http")


class HttpProtocol(RequestReader):
    """HTTP with deadlines. At shutdown it sets the application's `ending` event."""

    def __init__(self, *args: Any, head_timeout_seconds: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_timeout_seconds = head_timeout_seconds
        # Runs while a request is awaited, not while one is being answered.
        self._deadline: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        # To be sent after the responses to earlier requests.
        self._pending_refusal: JoblensError | None = None

    def shutdown(self) -> None:
        """Close the connection, after the response that is being sent."""
        self.app_state[ENDING].set()
        super().shutdown()
        if self.transport.is_closing():
            # Close the socket at once, without lingering.
            self.transport.close()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start waiting for a request."""
        lingering = LingeringTransport(transport, self.app_state[ENDING])
        super().connection_made(cast("asyncio.Transport", lingering))
        self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all timers."""
        self._stop_deadline()
        self._stop_stall_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse data, and start or stop the deadline."""
        super().data_received(data)
        self._update_deadline()

    def _update_deadline(self) -> None:
        """Run the deadline if a request is awaited, and stop it otherwise."""
        if not self._done and (self.cycle is None or self.cycle.response_complete):
            self._start_deadline()
        else:
            self._stop_deadline()

    def handle_websocket_upgrade(self) -> None:
        """Pass the connection on to the WebSocket protocol."""
        self._stop_deadline()
        self._stop_stall_timer()
        super().handle_websocket_upgrade()

    def _start_deadline(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self._head_timeout_seconds, self._time_out)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _time_out(self) -> None:
        self._deadline = None
        if self._in_head:
            message = f"A request must begin within {self._head_timeout_seconds:g} seconds."
            self._refuse(JoblensError(ErrorCode.REQUEST_TIMEOUT, message))
        else:
            # Browsers open connections in advance: no request waits for a response.
            self.transport.close()

    def on_response_complete(self) -> None:
        """Wait for the next request, or send a pending refusal."""
        super().on_response_complete()
        if self._pending_refusal is not None:
            self._refuse(self._pending_refusal)
        elif self.timeout_keep_alive_task is None and not self.transport.is_closing():
            self._update_deadline()

    def pause_writing(self) -> None:
        """Stop writing until the client has read, and start the stall timer."""
        super().pause_writing()
        self._check_stalled()

    def resume_writing(self) -> None:
        """Continue writing, and stop the stall timer."""
        super().resume_writing()
        self._stop_stall_timer()

    def _check_stalled(self, left: float = math.inf) -> None:
        """Abort the connection if the client has read nothing since the last check."""
        self._stop_stall_timer()
        unread = self.transport.get_write_buffer_size()
        if unread >= left:
            self.transport.abort()
        elif unread:
            self._stall_timer = self.loop.call_later(STALLED_SECONDS, self._check_stalled, unread)

    def _stop_stall_timer(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def _refuse(self, error: JoblensError) -> None:
        """Send an error, after the responses to all complete requests."""
        self._done = True
        self._stop_deadline()
        if self.pipeline and self.pipeline[0][0] is self.cycle and self.cycle.more_body:
            # Drop the request that is refused.
            self.pipeline.popleft()
        self._pending_refusal = None if self._has_answered() else error
        if self._pending_refusal is None and not self.transport.is_closing() and self._can_refuse():
            self._send_refusal(error)

    def _can_refuse(self) -> bool:
        """Return whether no response has begun; otherwise close the connection."""
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
        """Send an error that belongs to no request, and close the connection."""
        request_id = uuid4().hex
        log.info("refused", code=error.code.value, request_id=request_id)
        audit_log: AuditLog = self.app_state[AUDIT]
        context = AuditContext(audit_log, "http", self.client)
        audit_log.log_limit(context, error.code, request_id=request_id)
        self.transport.write(_as_bytes(error, request_id, self.server_state.default_headers))
        self.transport.close()


def _as_bytes(
    error: JoblensError, request_id: str, default_headers: list[tuple[bytes, bytes]]
) -> bytes:
    """Encode a complete HTTP response, outside of any application."""
    response = write_error(error)
    response.headers["connection"] = "close"
    response.headers["x-request-id"] = request_id
    status = HTTPStatus(response.status_code)
    lines = [b"HTTP/1.1 %d %s" % (status.value, status.phrase.encode())]
    lines += [name + b": " + value for name, value in (*default_headers, *response.raw_headers)]
    return b"\r\n".join([*lines, b"", bytes(response.body)])

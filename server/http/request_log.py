"""Middleware that gives each request an id and logs its end."""

import re
import time
from uuid import uuid4

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from resolvers.errors import ErrorCode, JoblensError
from schema.execution.error_format import MASKED
from server.http.responses import write_error
from server.logging import audit

REQUEST_ID = b"x-request-id"

log = structlog.get_logger("joblens.http")
_FIRST_MESSAGES = {"http.response.start", "websocket.accept", "websocket.http.response.start"}
_CLIENT_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")


class RequestLog:
    """Gives each request an id (the client's own, if it is valid), and logs its end."""

    def __init__(self, app: ASGIApp, audit_log: audit.AuditLog) -> None:
        self.app = app
        self._audit_log = audit_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond as an ASGI application."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        exchange = _Exchange(request_id, receive, send)
        started = time.perf_counter()
        bound = structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            with audit.request_context(self._audit_log, scope):
                await self.app(scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            log.info("the client disconnected")
        except Exception:
            log.exception("unexpected error")
            if scope["type"] == "http" and not exchange.status:
                masked = JoblensError(ErrorCode.INTERNAL_SERVER_ERROR, MASKED)
                await write_error(masked, status=500)(scope, receive, exchange.send)
        finally:
            log.info(
                "request" if scope["type"] == "http" else "websocket",
                method=scope.get("method", "GET"),
                path=scope["path"],
                status=exchange.status,
                milliseconds=round((time.perf_counter() - started) * 1000, 1),
            )
            structlog.contextvars.reset_contextvars(**bound)


def _request_id(scope: Scope) -> str:
    """Get the client's own id, or make one."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID:
            return value.decode() if _CLIENT_ID.fullmatch(value) else uuid4().hex
    return uuid4().hex


class _Exchange:
    """Passes on the messages of one request; adds the id to its response and keeps its status.

    The status of a WebSocket is its close code.
    """

    def __init__(self, request_id: str, receive: Receive, send: Send) -> None:
        self._header = (REQUEST_ID, request_id.encode())
        self._receive = receive
        self._send = send
        self.status = 0

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "websocket.disconnect" and not self.status:
            self.status = int(message["code"])
        return message

    async def send(self, message: Message) -> None:
        if message["type"] in _FIRST_MESSAGES:
            message["headers"] = [*message["headers"], self._header]
        if "status" in message:
            # Plain: the log would show the name of a member of HTTPStatus.
            self.status = int(message["status"])
        elif message["type"] == "websocket.close":
            self.status = message.get("code", 1000)
        await self._send(message)

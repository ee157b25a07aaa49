"""Structured logs: text for people, JSON for machines, each line with its request's id."""

import logging
import re
import sys
import time
from typing import Any, Literal
from uuid import uuid4

import orjson
import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import EventDict

from resolvers.errors import ErrorCode, JoblensError
from schema.execution.error_format import MASKED
from server.http.responses import write_error
from server.logging import audit

REQUEST_ID = "X-Request-Id"

log = structlog.get_logger("joblens.http")
_BEGINNINGS = {"http.response.start", "websocket.accept", "websocket.http.response.start"}
# Those that JSON would let stand.
_CONTROLS = re.compile("[\x7f-\x9f\u2028\u2029]")
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)


def configure(format_: Literal["auto", "text", "json"], level: str) -> None:
    """Send our logs and those of the standard library to stderr in one form."""
    as_json = format_ == "json" or (format_ == "auto" and not sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: list[structlog.typing.Processor] = (
        [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(_json),
        ]
        if as_json
        else [
            _printable,
            # Tracebacks without local variables: those may hold what must not be logged.
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ]
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    # Whatever else is worth a line: who changed something always is.
    logging.getLogger(audit.AUDIT).setLevel(logging.INFO)
    # Migrations say in their own words what they did.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _json(line: EventDict, **_options: Any) -> str:
    """Write a line as JSON, in which nothing stands as it is that a terminal would obey."""
    text = orjson.dumps(line, str).decode()
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _printable(_logger: object, _method: str, line: EventDict) -> EventDict:
    """Write out what a terminal would obey: words of clients are among the values."""
    for name, value in line.items():
        if isinstance(value, str) and name not in {"exception", "stack"}:
            text = value.rstrip("\n")
            plain = text.isprintable()
            line[name] = text if plain else text.encode("unicode_escape").decode()
    return line


class RequestLog:
    """Gives each request an id (the client's own, if it has a plain one), and logs its end."""

    def __init__(self, app: ASGIApp, audit_log: audit.AuditLog) -> None:
        self.app = app
        self._audit_log = audit_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = given if _GIVEN_ID.fullmatch(given) else uuid4().hex
        exchange = _Exchange(request_id, receive, send)
        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                with audit.following(self._audit_log, scope):
                    await self.app(scope, exchange.receive, exchange.send)
            except ClientDisconnect:
                log.info("the client hung up")
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


class _Exchange:
    """One request's messages, looked through: its answer gets the id, its status is noted.

    The status of a WebSocket is the code that it was closed with.
    """

    def __init__(self, request_id: str, receive: Receive, send: Send) -> None:
        self._request_id = request_id
        self._receive = receive
        self._send = send
        self.status = 0

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "websocket.disconnect" and not self.status:
            self.status = int(message["code"])
        return message

    async def send(self, message: Message) -> None:
        if message["type"] in _BEGINNINGS:
            MutableHeaders(scope=message)[REQUEST_ID] = self._request_id
        if "status" in message:
            self.status = message["status"]
        elif message["type"] == "websocket.close":
            self.status = message.get("code", 1000)
        await self._send(message)

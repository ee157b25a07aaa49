"""Configure structured logs: text or JSON, each line with its request's id."""

import logging
import re
import sys
from typing import Any, Literal

import orjson
import structlog
from structlog.typing import EventDict

from server.logging import audit
from server.logging.lines import Formatter, Logger, for_formatter

# Control characters that JSON does not escape.
_CONTROLS = re.compile("[\x7f-\x9f\u2028\u2029]")


def configure(format_: Literal["auto", "text", "json"], level: str) -> None:
    """Send structlog's and the standard library's logs to stderr in one format."""
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
            # Tracebacks without local variables, which may hold secrets.
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ]
    )
    handler = logging.StreamHandler()
    handler.setFormatter(Formatter(shared, renderer))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    # The audit log is written at any level.
    logging.getLogger(audit.AUDIT).setLevel(logging.INFO)
    # The commands report themselves what a migration did.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=Logger,
        cache_logger_on_first_use=True,
    )


def _json(line: EventDict, **_options: Any) -> str:
    """Encode a line as JSON, with every control character escaped."""
    text = orjson.dumps(line, str).decode()
    return _CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _printable(_logger: object, _method: str, line: EventDict) -> EventDict:
    """Escape control characters: some values are text of clients."""
    for name, value in line.items():
        if isinstance(value, str) and name not in {"exception", "stack"}:
            text = value.rstrip("\n")
            if not text.isprintable():
                text = text.encode("unicode_escape").decode()
            line[name] = text
    return line

"""Loggers and their formatter, for lines that every request has: as structlog's, in fewer steps."""

import inspect
import logging
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Any, cast

import structlog
from structlog.typing import EventDict, Processor

# The attribute of a record that marks a line of structlog's loggers: the method that logged it.
_METHOD = "structlog_method"


class Logger(structlog.stdlib.BoundLogger):
    """Hands a line of level `info` to the handlers at once."""

    def info(self, event: str | None = None, *args: Any, **fields: Any) -> None:
        """Log a line."""
        logger: logging.Logger = self._logger
        if not logger.isEnabledFor(logging.INFO):
            return
        if args:
            super().info(event, *args, **fields)
            return
        (line,), more = cast("_Wrapped", self._process_event("info", event, fields))
        caller = cast("FrameType", cast("FrameType", inspect.currentframe()).f_back)
        place = (caller.f_code.co_filename, caller.f_lineno)
        name = caller.f_code.co_name
        record = logging.LogRecord(logger.name, logging.INFO, *place, line, (), None, name)
        record.__dict__ |= more["extra"]
        logger.handle(record)


class Formatter(structlog.stdlib.ProcessorFormatter):
    """Renders the lines of structlog's loggers, and those of the standard library's."""

    def __init__(self, before: Sequence[Processor], renderer: Sequence[Processor]) -> None:
        """Render by `renderer`; lines of the standard library go through `before` first."""
        super().__init__(
            foreign_pre_chain=before, processors=[self.remove_processors_meta, *renderer]
        )
        self._renderer = renderer

    def format(self, record: logging.LogRecord) -> str:
        """Get the text of a line."""
        method = getattr(record, _METHOD, None)
        if method is None:
            return super().format(record)
        # A copy: other handlers may format the same record.
        line: Any = dict(cast("EventDict", record.msg))
        for processor in self._renderer:
            line = processor(None, method, line)
        return cast("str", line)


_Wrapped = tuple[tuple[EventDict], Mapping[str, Mapping[str, Any]]]


def for_formatter(_logger: object, method: str, line: EventDict) -> _Wrapped:
    """Make the arguments of the standard library's logger: the last of the processors."""
    return (line,), {"extra": {_METHOD: method}}

"""Loggers and their formatter, for lines that every request has: as structlog's, in fewer steps."""

import logging
import sys
from collections.abc import Sequence
from typing import Any, cast

import structlog
from structlog.typing import EventDict, Processor

# By these a `ProcessorFormatter` recognises records of structlog.
_LOGGER, _METHOD = "_logger", "_name"


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
        line: Any = {**self._context, **fields, "event": event}
        # The last processor is for `logging`'s own methods.
        for processor in cast("list[Processor]", self._processors)[:-1]:
            line = processor(logger, "info", line)
        caller = sys._getframe(1)  # noqa: SLF001 - as `logging` does
        code = caller.f_code
        record = logging.LogRecord(
            *(logger.name, logging.INFO, code.co_filename, caller.f_lineno, line, (), None),
            func=code.co_name,
        )
        record.__dict__ |= {_LOGGER: logger, _METHOD: "info"}
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
        logger = getattr(record, _LOGGER, None)
        if logger is None:
            return super().format(record)
        # A copy: other handlers may format the same record.
        line: Any = dict(cast("EventDict", record.msg))
        for processor in self._renderer:
            line = processor(logger, record.__dict__[_METHOD], line)
        return cast("str", line)

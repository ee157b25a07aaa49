"""The lines of the audit log, as they are handed to the logging of a process in this one."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from server.logging.audit import AUDIT
from tests.support.patience import PATIENCE_SECONDS

# What every line has, and what is not the same twice.
ALWAYS = {"logger", "level", "timestamp"}


class Lines(logging.Handler):
    """Collects them; `take` gets those since the last time."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        assert isinstance(record.msg, dict)
        assert record.msg["level"] == "info"
        self.lines.append({k: v for k, v in record.msg.items() if k not in ALWAYS})

    def take(self) -> list[dict[str, Any]]:
        taken, self.lines = self.lines, []
        return taken

    def one(self) -> dict[str, Any]:
        (line,) = self.take()
        return line

    async def next(self) -> dict[str, Any]:
        """Wait for one that nothing is answered after."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self.lines:  # noqa: ASYNC110 - a log tells nobody
                await asyncio.sleep(0.01)
        return self.lines.pop(0)


@contextmanager
def listening() -> Iterator[Lines]:
    lines = Lines()
    logger = logging.getLogger(AUDIT)
    logger.addHandler(lines)
    yield lines
    logger.removeHandler(lines)

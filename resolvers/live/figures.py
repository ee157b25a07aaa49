"""Figures of live updates, for metrics: how many events were read, and how late."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any


class Figures:
    """What the feeds of a process have read so far. `on_lag` gets the lag of each event."""

    def __init__(self) -> None:
        self.events = 0
        self.on_lag: Callable[[float], None] | None = None

    def add(self, rows: Iterable[Any]) -> None:
        """Count events that were put into the queues of subscribers.

        Their lag counts from their own times, if these were read.
        """
        now = None if self.on_lag is None else datetime.now(UTC)
        for row in rows:
            self.events += 1
            if now is not None and self.on_lag is not None and hasattr(row, "ts"):
                self.on_lag(max(0.0, (now - row.ts).total_seconds()))

"""Rate-limit repeated log lines: one a second of each kind, then the number of those left out."""

import asyncio
from collections.abc import Callable, Hashable
from contextvars import Context

WINDOW_SECONDS = 1.0
# The number of sources and kinds that are counted separately in a window; others are summed up.
MAX_COUNTERS = 100
OTHER_SOURCES = None


class LogThrottle:
    """Counts events by source and kind in a window; calls `report` with the number left out.

    A timer runs only after events, and nothing is kept longer than a window, so a flood from
    countless sources fills neither memory nor the log.
    """

    def __init__(self, report: Callable[[Hashable, str, int], None]) -> None:
        self._report = report
        self._left_out: dict[tuple[Hashable, str], int] = {}
        self._timer: asyncio.TimerHandle | None = None

    def admits(self, source: Hashable, kind: str) -> bool:
        """Return whether to log this event: the first of its source and kind in a window."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            # In a context of its own: the timer outlives the request that starts it.
            self._timer = loop.call_later(WINDOW_SECONDS, self.end_window, context=Context())
        if (source, kind) not in self._left_out:
            if len(self._left_out) >= MAX_COUNTERS:
                source = OTHER_SOURCES
            if (source, kind) not in self._left_out:
                self._left_out[source, kind] = 0
                return True
        self._left_out[source, kind] += 1
        return False

    def end_window(self) -> None:
        """Report what was left out, and start the next window with the next event."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        ended, self._left_out = self._left_out, {}
        for (source, kind), count in ended.items():
            if count:
                self._report(source, kind, count)

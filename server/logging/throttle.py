"""Rate-limit repeated log lines: one a second of each kind, with the number of those left out."""

import asyncio
from collections.abc import Callable, Hashable
from contextvars import Context

WINDOW_SECONDS = 1.0
# So many sources are told apart in a second; what the others do is counted together.
MOST_TOLD_APART = 100
OTHERS = None


class LogThrottle:
    """Counts events by source and kind while a window lasts; `tell` hears what was left out.

    There is a timer only after events, and nothing is kept for longer than a window. So who floods
    from countless sources neither fills the memory, nor the log.
    """

    def __init__(self, tell: Callable[[Hashable, str, int], None]) -> None:
        self._tell = tell
        self._left_out: dict[tuple[Hashable, str], int] = {}
        self._timer: asyncio.TimerHandle | None = None

    def admits(self, source: Hashable, kind: str) -> bool:
        """Say whether this event is to be told: the first of its source and kind is."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            # In a context of its own: that of the request which came first ends before.
            self._timer = loop.call_later(WINDOW_SECONDS, self.end_window, context=Context())
        if (source, kind) not in self._left_out:
            if len(self._left_out) >= MOST_TOLD_APART:
                source = OTHERS
            if (source, kind) not in self._left_out:
                self._left_out[source, kind] = 0
                return True
        self._left_out[source, kind] += 1
        return False

    def end_window(self) -> None:
        """Tell what was left out, and begin anew."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        ended, self._left_out = self._left_out, {}
        for (source, kind), count in ended.items():
            if count:
                self._tell(source, kind, count)

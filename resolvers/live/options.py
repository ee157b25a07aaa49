"""The options of live updates in one process."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """Limits and paces. Times in seconds.

    `window_seconds`: how long after its `ts` an event may be committed and still be delivered,
    where new events are found by their times. `quiet_poll_seconds`: the longest time between two
    polls of an organisation, while notifications are heard and polls find nothing without one.
    `queue_size`: how many live events may wait for one subscriber.
    """

    poll_seconds: float = 2.0
    quiet_poll_seconds: float = 6.0
    window_seconds: float = 30.0
    queue_size: int = 1_000
    min_every_seconds: float = 0.2
    statement_timeout_seconds: float = 10.0
    connect_timeout_seconds: float = 5.0
    keep_alive_seconds: float = 15.0
    hearing_seconds: float = 5.0

    @property
    def late_seconds(self) -> float:
        """How long after its `ts` an event may be delivered, where times decide.

        A late event may have waited for a poll while newer ones were delivered.
        """
        longest = max(self.poll_seconds, self.quiet_poll_seconds)
        return self.window_seconds + 2 * longest + 2

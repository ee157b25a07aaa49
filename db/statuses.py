"""Job statuses, which of them are terminal, and the allowed transitions; backoff policies."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class JobStatus(StrEnum):
    """The status of a job. The values are those of the column `job.status`."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    DEAD_LETTER = "dead_letter"

    @property
    def is_terminal(self) -> bool:
        """Whether the run has ended; `finished_at` is set for exactly these."""
        return self in TERMINAL_STATUSES


class BackoffPolicy(StrEnum):
    """The wait before a retry. The values are those of the column `job.backoff_policy`."""

    NONE = "none"
    FIXED = "fixed"
    EXPONENTIAL = "exponential"


TERMINAL_STATUSES = frozenset(
    {JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELED, JobStatus.DEAD_LETTER}
)

TRANSITIONS: Mapping[JobStatus, frozenset[JobStatus]] = MappingProxyType(
    {
        JobStatus.QUEUED: frozenset({JobStatus.RUNNING, JobStatus.CANCELED}),
        JobStatus.RUNNING: frozenset(
            {JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELED, JobStatus.QUEUED}
        ),
        JobStatus.FAILED: frozenset({JobStatus.QUEUED, JobStatus.DEAD_LETTER, JobStatus.CANCELED}),
        JobStatus.DEAD_LETTER: frozenset({JobStatus.QUEUED}),
        JobStatus.CANCELED: frozenset({JobStatus.QUEUED}),
        JobStatus.SUCCEEDED: frozenset(),
    }
)

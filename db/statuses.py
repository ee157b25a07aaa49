"""The words of a job's life: its statuses, which of them end it, and which may follow which."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class JobStatus(StrEnum):
    """Where a job stands. The values are what the column `job.status` holds."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    DEAD_LETTER = "dead_letter"

    @property
    def is_terminal(self) -> bool:
        """Whether a run has ended here: exactly then `finished_at` is set."""
        return self in TERMINAL_STATUSES


class BackoffPolicy(StrEnum):
    """How long a retry waits. The values are what the column `job.backoff_policy` holds."""

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

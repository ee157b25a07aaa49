"""Retention policies: which one counts for a job, and so until when it is kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from db.statuses import JobStatus
from db.validation import name_fault

# At the end of a type it stands for any text.
ANY = "*"


@dataclass(frozen=True, slots=True)
class Policy:
    """How long jobs are kept after they have ended.

    `status` and `type`: of which jobs; None: of any. A type may end in `*`, as in `report.*`.
    """

    id: UUID
    status: JobStatus | None
    type: str | None
    keep: timedelta

    def matches(self, status: str, type_: str) -> bool:
        """Return whether it is for jobs of this status and type."""
        return self.status in {None, status} and _matches(self.type, type_)

    @property
    def specificity(self) -> tuple[int, int, bool]:
        """By which it counts before others that match: first its type, then its status."""
        if self.type is None:
            return 0, 0, self.status is not None
        is_whole = not self.type.endswith(ANY)
        return 1 + is_whole, len(self.type), self.status is not None

    def __str__(self) -> str:
        return f"{self.status or 'any status'}, {self.type or 'any type'}"


def policy_of(policies: Iterable[Policy], status: str, type_: str) -> Policy | None:
    """Return the most specific policy that matches; None: such jobs are kept for ever."""
    matching = (policy for policy in policies if policy.matches(status, type_))
    return max(matching, key=lambda policy: policy.specificity, default=None)


def latest_end(policies: Iterable[Policy], now: datetime) -> datetime | None:
    """Return the time before which a job must have ended to be deleted by any of the policies."""
    return max((now - policy.keep for policy in policies), default=None)


def pattern_fault(pattern: str) -> str | None:
    """Return what is wrong with the pattern of a type, if anything is."""
    if ANY in pattern[:-1]:
        return f"{ANY} may only be its last character"
    return name_fault(pattern)


def _matches(pattern: str | None, type_: str) -> bool:
    if pattern is None:
        return True
    if pattern.endswith(ANY):
        return type_.startswith(pattern.removesuffix(ANY))
    return type_ == pattern

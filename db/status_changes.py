"""StatusChange: what JobRepository changes of a job's status."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from db.commands.transitions import Transition
from db.error_texts import storable_code, storable_message, with_storable_errors
from db.statuses import JobStatus


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A change of a job's status; see `JobRepository.update_job_status`."""

    job_id: UUID
    status: JobStatus
    expected: JobStatus | None = None
    attempt: int | None = None
    result: Any = None
    error_code: str | None = None
    error_message: str | None = None
    detail: Mapping[str, Any] | None = None
    by_operator: bool = False
    worker: str | None = None

    def transition(self, author: Mapping[str, str]) -> Transition:
        """Convert it, with texts that can be stored and the author of its event."""
        return Transition(
            to=JobStatus(self.status),
            expected=None if self.expected is None else JobStatus(self.expected),
            attempt=self.attempt,
            result=self.result,
            error_code=storable_code(self.error_code),
            error_message=storable_message(self.error_message),
            detail={**with_storable_errors(self.detail or {}), **author},
            by_operator=self.by_operator,
            worker=self.worker,
        )

"""Why JobRepository refuses a call, as exceptions, and the checks that raise them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from db.commands.creation import Creation, NewJob
from db.commands.transitions import Transition
from db.limits import MAX_BATCH, MAX_INT32, MAX_JSON_BYTES, MIN_INT32
from db.queries.jobs import JobRow
from db.statuses import JobStatus
from db.times import time_fault
from db.validation import attempts_fault, document_fault, name_fault, text_fault


class InvalidJobError(ValueError):
    """A value cannot be taken; `field` names its argument."""

    def __init__(self, field: str, fault: str) -> None:
        super().__init__(f"{field}: {fault}")
        self.field = field


class JobNotFoundError(LookupError):
    """The organisation has no job of this id."""

    def __init__(self, job_id: UUID) -> None:
        super().__init__(f"There is no job {job_id}.")
        self.job_id = job_id


class IdempotencyConflictError(Exception):
    """The idempotency key belongs to `existing`, a job that was created from other input."""

    def __init__(self, existing: JobRow) -> None:
        super().__init__(
            f"The idempotency key belongs to job {existing.id}, created from other input."
        )
        self.existing = existing


class IllegalTransitionError(Exception):
    """The job's status, or its attempts, do not allow the change. `job` is as it was met."""

    def __init__(self, job: JobRow, requested: JobStatus) -> None:
        self.job = job
        self.current = JobStatus(job.status)
        self.requested = requested
        super().__init__(
            f"Job {job.id} is {self.current} (attempt {job.attempt} of {job.max_attempts}) "
            f"and cannot become {requested} now."
        )


def check_batch(jobs: Sequence[NewJob]) -> None:
    """Refuse a batch that is too large for one call, or has a job that cannot be taken."""
    too_many = f"It may hold at most {MAX_BATCH} jobs." if len(jobs) > MAX_BATCH else None
    _refuse("jobs", too_many)
    for number, job in enumerate(jobs):
        check_new(job, f"jobs[{number}].")


def check_new(job: NewJob, prefix: str = "") -> None:
    """Refuse a new job that cannot be taken."""
    for name in ("type", "queue", "idempotency_key", "requested_by"):
        _refuse(prefix + name, name_fault(getattr(job, name)))
    fits = MIN_INT32 <= job.priority <= MAX_INT32
    _refuse(f"{prefix}priority", None if fits else "It must fit 32 bits.")
    _refuse(f"{prefix}max_attempts", attempts_fault(job.max_attempts))
    _refuse(f"{prefix}payload", document_fault(job.payload, MAX_JSON_BYTES))
    if job.scheduled_at is not None:
        _refuse(f"{prefix}scheduled_at", time_fault(job.scheduled_at))


def check_creations(creations: Sequence[Creation]) -> None:
    """Refuse a batch, just written, of which a key belongs to other input."""
    made = {each.row.id for each in creations if each.created}
    for number, each in enumerate(creations):
        if each.same_input:
            continue
        if each.row.id in made:
            field = f"jobs[{number}].idempotency_key"
            raise InvalidJobError(field, "The batch has it twice, with other input.")
        raise IdempotencyConflictError(each.row)


def check_transition(transition: Transition) -> None:
    """Refuse a change of status whose parts cannot be taken."""
    _refuse("result", document_fault(transition.result, MAX_JSON_BYTES))
    check_detail(transition.detail)


def check_detail(detail: Any) -> None:
    """Refuse what cannot be an event's detail."""
    _refuse("detail", None if isinstance(detail, dict) else "It must be a dict.")
    _refuse("detail", document_fault(detail, MAX_JSON_BYTES))


def check_signature(by: str | None) -> None:
    """Refuse a name that cannot stand in an event's detail."""
    _refuse("by", text_fault(by or ""))


def check_limit(limit: int) -> None:
    """Refuse a list's limit that is none."""
    _refuse("limit", None if limit >= 1 else "It must be at least 1.")


def _refuse(field: str, fault: str | None) -> None:
    if fault is not None:
        raise InvalidJobError(field, fault)

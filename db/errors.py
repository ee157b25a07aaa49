"""The exceptions of JobRepository, and the checks of its arguments that raise them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from db.commands.creation import Creation, NewJob
from db.commands.transitions import Transition
from db.limits import (
    MAX_BATCH,
    MAX_FACTS,
    MAX_INT32,
    MAX_JSON_BYTES,
    MAX_TRANSITIONS,
    MIN_INT32,
)
from db.outcomes import (
    ChangedJob,
    CreatedJob,
    IdempotencyConflict,
    IllegalTransition,
    JobNotFound,
    ReadOnlyJob,
)
from db.progress import Progress
from db.queries.jobs import JobRow
from db.times import time_fault
from db.validation import attempts_fault, document_fault, name_fault, tags_fault, text_fault


class InvalidJobError(ValueError):
    """An argument has an invalid value; `field` is its name."""

    def __init__(self, field: str, fault: str) -> None:
        super().__init__(f"{field}: {fault}")
        self.field = field


class JobNotFoundError(LookupError):
    """The organisation has no job with this id."""

    def __init__(self, outcome: JobNotFound) -> None:
        super().__init__(f"There is no job {outcome.job_id}.")
        self.outcome = outcome
        self.job_id = outcome.job_id


class ReadOnlyJobError(Exception):
    """The job is of a source: it can be changed only there."""

    def __init__(self, outcome: ReadOnlyJob) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


class IdempotencyConflictError(Exception):
    """The idempotency key belongs to `existing`, a job that was created with different input."""

    def __init__(self, outcome: IdempotencyConflict) -> None:
        super().__init__(
            f"The idempotency key belongs to job {outcome.existing.id}, "
            "which was created with different input."
        )
        self.outcome = outcome
        self.existing = outcome.existing


class IllegalTransitionError(Exception):
    """The current status of `job`, or its attempts, do not allow the change."""

    def __init__(self, outcome: IllegalTransition) -> None:
        self.outcome = outcome
        self.job = job = outcome.job
        self.current = outcome.current
        self.requested = outcome.requested
        super().__init__(
            f"Job {job.id} is {self.current} (attempt {job.attempt} of {job.max_attempts}) "
            f"and cannot become {self.requested} now."
        )


def check_batch(jobs: Sequence[NewJob]) -> None:
    """Raise InvalidJobError if the batch is too large or has an invalid job."""
    too_many = f"It may have at most {MAX_BATCH} jobs." if len(jobs) > MAX_BATCH else None
    _raise_fault("jobs", too_many)
    for index, job in enumerate(jobs):
        check_new(job, f"jobs[{index}].")


def check_facts(source_faults: Mapping[str, str], facts: Sequence[Any]) -> None:
    """Raise InvalidJobError for an invalid source, or for more facts than one call may have."""
    for name, fault in source_faults.items():
        _raise_fault(f"source.{name}", fault)
    too_many = f"It may have at most {MAX_FACTS} facts." if len(facts) > MAX_FACTS else None
    _raise_fault("facts", too_many)


def check_deletion(job_ids: Sequence[UUID]) -> None:
    """Raise InvalidJobError for more jobs than may be deleted at once."""
    too_many = f"It may have at most {MAX_BATCH} ids." if len(job_ids) > MAX_BATCH else None
    _raise_fault("job_ids", too_many)


def check_new(job: NewJob, prefix: str = "") -> None:
    """Raise InvalidJobError if the job has an invalid value."""
    for name in ("type", "queue", "idempotency_key", "requested_by", "batch"):
        _raise_fault(prefix + name, name_fault(getattr(job, name)))
    _raise_fault(f"{prefix}tags", tags_fault(job.tags))
    fits = MIN_INT32 <= job.priority <= MAX_INT32
    _raise_fault(f"{prefix}priority", None if fits else "It must fit in 32 bits.")
    _raise_fault(f"{prefix}max_attempts", attempts_fault(job.max_attempts))
    _raise_fault(f"{prefix}payload", document_fault(job.payload, MAX_JSON_BYTES))
    if job.scheduled_at is not None:
        _raise_fault(f"{prefix}scheduled_at", time_fault(job.scheduled_at))


def check_created(outcomes: Sequence[Creation]) -> list[CreatedJob]:
    """Return the jobs of a batch; raise the error of the first one that was not created."""
    jobs = [each for each in outcomes if isinstance(each, CreatedJob)]
    created_ids = {each.job.id for each in jobs if each.created}
    for index, each in enumerate(outcomes):
        if isinstance(each, CreatedJob):
            continue
        if isinstance(each, JobNotFound):
            raise JobNotFoundError(each)
        if each.existing.id in created_ids:
            field = f"jobs[{index}].idempotency_key"
            raise InvalidJobError(field, "The batch has this key twice, with different input.")
        raise IdempotencyConflictError(each)
    return jobs


def check_transitions(transitions: Sequence[Transition]) -> None:
    """Raise InvalidJobError if these are too many, or one is invalid."""
    is_too_long = len(transitions) > MAX_TRANSITIONS
    too_many = f"It may have at most {MAX_TRANSITIONS} changes." if is_too_long else None
    _raise_fault("changes", too_many)
    for index, transition in enumerate(transitions):
        check_transition(transition, f"changes[{index}].")


def check_transition(transition: Transition, prefix: str = "") -> None:
    """Raise InvalidJobError if the transition has an invalid result, worker or detail."""
    _raise_fault(f"{prefix}result", document_fault(transition.result, MAX_JSON_BYTES))
    _raise_fault(f"{prefix}worker", name_fault(transition.worker))
    check_detail(transition.detail, prefix)


def job_or_error(
    outcome: ChangedJob | IllegalTransition | JobNotFound | ReadOnlyJob,
) -> JobRow | JobNotFoundError | IllegalTransitionError | ReadOnlyJobError:
    """Return the changed job, or the error of a refused change."""
    match outcome:
        case ChangedJob(job):
            return job
        case JobNotFound():
            return JobNotFoundError(outcome)
        case ReadOnlyJob():
            return ReadOnlyJobError(outcome)
    return IllegalTransitionError(outcome)


def check_detail(detail: Any, prefix: str = "") -> None:
    """Raise InvalidJobError if the value is not a valid event detail."""
    _raise_fault(f"{prefix}detail", None if isinstance(detail, dict) else "It must be a dict.")
    _raise_fault(f"{prefix}detail", document_fault(detail, MAX_JSON_BYTES))


def check_event(detail: Any, progress: Progress | None) -> None:
    """Raise InvalidJobError if the event has neither detail nor progress, or invalid progress."""
    tells = detail is not None or progress is not None
    _raise_fault("detail", None if tells else "It is required without progress.")
    for name, fault in ({} if progress is None else progress.faults).items():
        _raise_fault(f"progress.{name}", fault)


def check_author(by: str | None) -> None:
    """Raise InvalidJobError if the name cannot be stored in an event's detail."""
    _raise_fault("by", text_fault(by or ""))


def check_limit(limit: int) -> None:
    """Raise InvalidJobError if a list's limit is less than 1."""
    _raise_fault("limit", None if limit >= 1 else "It must be at least 1.")


def _raise_fault(field: str, fault: str | None) -> None:
    if fault is not None:
        raise InvalidJobError(field, fault)

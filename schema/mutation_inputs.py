"""The inputs of mutations, and their conversion to what resolvers take."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import strawberry
from strawberry import UNSET

from db.commands.creation import NewJob
from db.commands.transitions import Transition
from db.facts import Fact, Source
from db.job_defaults import (
    DEFAULT_BACKOFF_POLICY,
    DEFAULT_MAX_ATTEMPTS,
    DEFAULT_PRIORITY,
    DEFAULT_QUEUE,
)
from db.limits import MAX_TAGS
from db.progress import Progress
from db.statuses import BackoffPolicy, JobStatus
from resolvers.ids import parse_uuid
from resolvers.mutation_results import InvalidInputError
from schema.scalars import JSON

T = TypeVar("T")


@strawberry.input(description="A job to create. Null is the same as the default.")
class CreateJobInput:
    type: str = strawberry.field(description="The type of the job, such as `email.send`.")
    queue: str | None = strawberry.field(default=DEFAULT_QUEUE, description="The queue of the job.")
    priority: int | None = strawberry.field(
        default=DEFAULT_PRIORITY, description="The priority; jobs with a higher one run first."
    )
    max_attempts: int | None = strawberry.field(
        default=DEFAULT_MAX_ATTEMPTS, description="How many times the job may be started."
    )
    backoff_policy: BackoffPolicy | None = strawberry.field(
        default=DEFAULT_BACKOFF_POLICY,
        description="How the delay before a retry is computed.",
    )
    idempotency_key: str | None = strawberry.field(
        default=UNSET,
        description="A second call with the same key and input creates no other job; one with the "
        "same key and other input is an IdempotencyConflict.",
    )
    requested_by: str | None = strawberry.field(
        default=UNSET, description="The user or system that requests the job."
    )
    payload: JSON | None = strawberry.field(default=UNSET, description="The input of the job.")
    scheduled_at: datetime | None = strawberry.field(
        default=UNSET, description="The earliest time the job may be started; omitted: immediately."
    )
    parent_id: strawberry.ID | None = strawberry.field(
        default=UNSET, description="The UUID of the job that this one is a child of."
    )
    batch: str | None = strawberry.field(
        default=UNSET, description="The name of the batch that the job belongs to."
    )
    tags: list[str] | None = strawberry.field(
        default=UNSET,
        description=f"Up to {MAX_TAGS} different tags, such as `eu` or `customer:4711`.",
    )

    def job(self, prefix: str = "") -> NewJob:
        """Convert the input to a NewJob; null means the default.

        `prefix`: of the paths of its fields. Raises InvalidInputError.
        """
        given: dict[str, Any] = {
            name: value
            for name in NewJob.__slots__
            if (value := getattr(self, name)) is not None and value is not UNSET
        }
        if "parent_id" in given:
            given["parent_id"] = _uuid(f"{prefix}parentId", given["parent_id"])
        return NewJob(**given)


@strawberry.input(description="A change of a job's status, as reported by its worker.")
class TransitionJobInput:
    id: strawberry.ID = strawberry.field(description="The job's UUID.")
    to: JobStatus = strawberry.field(description="The new status.")
    from_: JobStatus | None = strawberry.field(
        name="from", default=UNSET, description="Change the job only if it has this status."
    )
    attempt: int | None = strawberry.field(
        default=UNSET,
        description="Change the job only if its `attempt` is this number, which the transition to "
        "RUNNING returned.",
    )
    error_code: str | None = strawberry.field(
        default=UNSET,
        description="The code of the error that ended the run; truncated if too long.",
    )
    error_message: str | None = strawberry.field(
        default=UNSET,
        description="The message of the error that ended the run; truncated if too long.",
    )
    result: JSON | None = strawberry.field(default=UNSET, description="The output of the run.")
    detail: JSON | None = strawberry.field(
        default=UNSET, description="Details to record in the event: a JSON object."
    )
    worker: str | None = strawberry.field(
        default=UNSET,
        description="The name of the worker that starts the job; ignored unless `to` is RUNNING.",
    )

    def transition(self) -> Transition:
        """Convert the input to a Transition."""
        detail = optional(self.detail)
        return Transition(
            to=self.to,
            expected=optional(self.from_),
            attempt=optional(self.attempt),
            result=optional(self.result),
            error_code=optional(self.error_code),
            error_message=optional(self.error_message),
            detail={} if detail is None else detail,  # type: ignore[arg-type]
            worker=optional(self.worker),
        )


@strawberry.input(description="How much of its run a job has done.")
class ProgressInput:
    fraction: float = strawberry.field(description="The share of the run that is done: 0 to 1.")
    step: str | None = strawberry.field(
        default=UNSET, description="The name of what is done now, of up to 255 characters."
    )


@strawberry.input(
    description="An event that does not change the status of its job. It needs `detail`, "
    "`progress` or both."
)
class RecordJobEventInput:
    id: strawberry.ID = strawberry.field(description="The job's UUID.")
    detail: JSON | None = strawberry.field(
        default=UNSET, description="Details to record in the event: a JSON object."
    )
    progress: ProgressInput | None = strawberry.field(
        default=UNSET,
        description="The progress of the job, which is also recorded in the detail of the event. "
        "Without `detail`, `Job.updatedAt` stays.",
    )

    def as_progress(self) -> Progress | None:
        """Convert the progress."""
        told = optional(self.progress)
        return None if told is None else Progress(told.fraction, optional(told.step))


@strawberry.input(description="A system that runs jobs.")
class SourceInput:
    name: str = strawberry.field(
        description="Its name in the organisation, of up to 255 characters. The ids of its jobs "
        "are made of it."
    )
    kind: str = strawberry.field(
        description="What runs its jobs, such as `celery`. Only the first call sets it."
    )

    def source(self) -> Source:
        """Convert the input."""
        return Source(self.name, self.kind)


@strawberry.input(
    description="That a job had a status at a time, and what else was seen of it. What is omitted "
    "or null was not seen."
)
class FactInput:
    external_id: str = strawberry.field(
        description="What the source calls the job: up to 255 characters."
    )
    ts: datetime = strawberry.field(description="When the job had the status.")
    status: JobStatus = strawberry.field(
        description="The status at that time. A failed run is FAILED, then QUEUED if it will be "
        "retried, or DEAD_LETTER if it will not."
    )
    attempt: int | None = strawberry.field(
        default=UNSET,
        description="How many times the job had been started by then, this time included. It "
        "counts more than `ts`, which may come from several clocks. Omitted: starts are counted.",
    )
    type: str | None = strawberry.field(
        default=UNSET, description="The type of the job; `unknown` until a fact has it."
    )
    queue: str | None = strawberry.field(default=UNSET, description="The queue of the job.")
    priority: int | None = strawberry.field(
        default=UNSET, description="The priority; jobs with a higher one run first."
    )
    max_attempts: int | None = strawberry.field(
        default=UNSET, description="How many times the job may be started."
    )
    requested_by: str | None = strawberry.field(
        default=UNSET, description="The user or system that requested the job."
    )
    parent_external_id: str | None = strawberry.field(
        default=UNSET, description="What the source calls the job that this one is a child of."
    )
    batch: str | None = strawberry.field(
        default=UNSET, description="The name of the batch that the job belongs to."
    )
    tags: list[str] | None = strawberry.field(default=UNSET, description="The tags of the job.")
    payload: JSON | None = strawberry.field(default=UNSET, description="The input of the job.")
    result: JSON | None = strawberry.field(default=UNSET, description="The output of the job.")
    scheduled_at: datetime | None = strawberry.field(
        default=UNSET, description="The earliest time the job may be started."
    )
    worker: str | None = strawberry.field(
        default=UNSET, description="The name of the worker that started the job."
    )
    error_code: str | None = strawberry.field(
        default=UNSET, description="The code of the error that ended the run, such as its class."
    )
    error_message: str | None = strawberry.field(
        default=UNSET,
        description="The message of the error; an empty one means that there is none any more.",
    )
    detail: JSON | None = strawberry.field(
        default=UNSET, description="Details to record in the event: a JSON object."
    )
    progress: ProgressInput | None = strawberry.field(
        default=UNSET, description="The progress of the run; `status` is RUNNING."
    )
    is_exact: bool | None = strawberry.field(
        default=True,
        description="False: `ts` is the nearest time that is known. It gives way to an exact fact "
        "with the same status and attempt.",
    )

    def fact(self) -> Fact:
        """Convert the input. Progress that is out of bounds becomes a part of the detail."""
        given = {
            name: value
            for name in Fact.__slots__
            if (value := getattr(self, name, UNSET)) is not UNSET and value is not None
        }
        detail = given.get("detail")
        if detail is not None and not isinstance(detail, Mapping):
            given["detail"] = {"detail": detail}
        progress_input = given.pop("progress", None)
        if progress_input is not None:
            step = optional(progress_input.step)
            progress = Progress(progress_input.fraction, step)
            if any(progress.faults.values()):
                reported = {"fraction": str(progress_input.fraction), "step": step}
                given["detail"] = {**given.get("detail", {}), "reported_progress": reported}
            else:
                given["progress"] = progress
        return Fact(**given)


def _uuid(field: str, text: str) -> UUID:
    parsed = parse_uuid(text)
    if parsed is None:
        raise InvalidInputError(field, "A job's id must be a UUID.")
    return parsed


def optional(value: T | None) -> T | None:
    """Return an optional value, None if it was omitted."""
    return None if value is UNSET else value

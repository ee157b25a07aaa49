"""Creates and changes jobs, and records events: each call in a transaction.

resolvers.bulk changes the jobs that match a filter.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from db.commands.creation import Creation, NewJob, create_jobs
from db.commands.events import record_event
from db.commands.reruns import Changes, rerun_job
from db.commands.rescheduling import Reschedule, reschedule_job
from db.commands.transition_batches import Change, Outcome, change_jobs
from db.commands.transitions import STATE_COLUMNS, Transition, change_job
from db.error_texts import storable_code, storable_message
from db.limits import MAX_BATCH, MAX_TRANSITIONS
from db.outcomes import (
    ChangedJob,
    CreatedJob,
    IdempotencyConflict,
    JobNotFound,
    ReadOnlyJob,
    RecordedEvent,
)
from db.progress import Progress
from resolvers.context import Context, RollbackError
from resolvers.ids import parse_job_id, parse_uuid
from resolvers.mutation_results import (
    CreatedMany,
    InvalidInput,
    InvalidInputError,
    TransitionedMany,
)
from resolvers.validation import (
    check_attempts,
    check_event,
    check_json,
    check_name,
    check_object,
    check_tags,
)


async def create(ctx: Context, job: NewJob, columns: Collection[str]) -> Creation:
    """Create a job, or find the one that the same key and input had made.

    JobNotFound has the id of its parent.
    """
    _check_new(job, "", ctx.limits.max_json_bytes)
    (outcome,) = await _create(ctx, [job], columns)
    return outcome


async def create_many(
    ctx: Context, jobs: Sequence[NewJob], columns: Collection[str]
) -> CreatedMany | IdempotencyConflict | JobNotFound:
    """Create all jobs of a batch, or none where one cannot be created, as `create` does."""
    if len(jobs) > MAX_BATCH:
        raise InvalidInputError("input", f"It may hold at most {MAX_BATCH} jobs.")
    for number, job in enumerate(jobs):
        _check_new(job, f"input.{number}.", ctx.limits.max_json_bytes)
    outcomes = await _create(ctx, jobs, columns) if jobs else []
    jobs_found = [each for each in outcomes if isinstance(each, CreatedJob)]
    created_ids = {each.job.id for each in jobs_found if each.created}
    for index, each in enumerate(outcomes):
        if isinstance(each, CreatedJob):
            continue
        if isinstance(each, IdempotencyConflict) and each.existing.id in created_ids:
            raise InvalidInputError(
                f"input.{index}.idempotencyKey",
                "The batch has this key twice, with different input.",
            )
        return each
    created = sum(each.created for each in jobs_found)
    rows = [each.job for each in jobs_found]
    return CreatedMany(rows, created, len(rows) - created)


async def rerun(
    ctx: Context, job_id: str, changes: Changes, reason: str | None, columns: Collection[str]
) -> CreatedJob | JobNotFound:
    """Create a job as a copy of another one, with these changes."""
    parsed = parse_job_id(job_id)
    check_name("queue", changes.queue)
    check_json("payload", changes.payload, ctx.limits.max_json_bytes)
    async with ctx.write() as (session, org_id):
        outcome = await rerun_job(
            session,
            org_id,
            parsed,
            changes,
            now=ctx.now,
            detail=ctx.attribution(storable_message(reason)),
            returning=columns,
        )
    if isinstance(outcome, JobNotFound):
        return JobNotFound(job_id)
    ctx.cache_jobs([outcome.job], columns)
    return outcome


async def reschedule(
    ctx: Context, job_id: str, wanted: Reschedule, reason: str | None, columns: Collection[str]
) -> Outcome:
    """Change when a queued job is due, and its priority."""
    parsed = parse_job_id(job_id)
    read = STATE_COLUMNS.union(columns)
    async with ctx.write() as (session, org_id):
        outcome = await reschedule_job(
            session,
            org_id,
            parsed,
            wanted,
            now=ctx.now,
            detail=ctx.attribution(storable_message(reason)),
            returning=columns,
        )
    if not isinstance(outcome, JobNotFound):
        ctx.cache_jobs([outcome.job], read)
    return _as_written(outcome, job_id)


async def transition(
    ctx: Context, job_id: str, wanted: Transition, columns: Collection[str]
) -> Outcome:
    """Change a job's status, or tell what it met."""
    parsed = parse_job_id(job_id)
    read = STATE_COLUMNS.union(columns)
    change = checked(ctx, wanted)
    backoff = ctx.limits.backoff.jittered()
    async with ctx.write() as (session, org_id):
        outcome = await change_job(
            session, org_id, parsed, change, now=ctx.now, backoff=backoff, returning=read
        )
    if not isinstance(outcome, JobNotFound):
        ctx.cache_jobs([outcome.job], read)
    return _as_written(outcome, job_id)


async def transition_many(
    ctx: Context, wanted: Sequence[tuple[str, Transition]], columns: Collection[str]
) -> TransitionedMany:
    """Change the status of jobs in one transaction, each as `transition` does or not at all."""
    if len(wanted) > MAX_TRANSITIONS:
        raise InvalidInputError("input", f"It may hold at most {MAX_TRANSITIONS} changes.")
    checked = [_checked_item(ctx, number, *each) for number, each in enumerate(wanted)]
    changes = [each for each in checked if not isinstance(each, InvalidInput)]
    outcomes = iter(await _transition_many(ctx, changes, STATE_COLUMNS.union(columns)))
    results = [
        each if isinstance(each, InvalidInput) else _as_written(next(outcomes), job_id)
        for each, (job_id, _) in zip(checked, wanted, strict=True)
    ]
    changed = sum(isinstance(each, ChangedJob) for each in results)
    return TransitionedMany(results, changed, len(results) - changed)


async def record(
    ctx: Context, job_id: str, detail: Any, progress: Progress | None, columns: Collection[str]
) -> RecordedEvent | JobNotFound | ReadOnlyJob:
    """Record an event that leaves the job's status as it is."""
    parsed = parse_job_id(job_id)
    checked = check_object("detail", detail, ctx.limits.max_json_bytes)
    check_event(detail, progress)
    async with ctx.write() as (session, org_id):
        outcome = await record_event(
            session,
            org_id,
            parsed,
            checked,
            now=ctx.now,
            author=ctx.attribution(),
            progress=progress,
            returning=columns,
        )
    if isinstance(outcome, ReadOnlyJob):
        ctx.cache_jobs([outcome.job], columns)
    return JobNotFound(job_id) if isinstance(outcome, JobNotFound) else outcome


async def _transition_many(
    ctx: Context, changes: Sequence[Change], columns: Collection[str]
) -> Sequence[Outcome]:
    if not changes:
        return []
    async with ctx.write() as (session, org_id):
        outcomes = await change_jobs(
            session,
            org_id,
            changes,
            now=ctx.now,
            backoff=ctx.limits.backoff,
            returning=columns,
        )
    jobs = [each.job for each in outcomes if not isinstance(each, JobNotFound)]
    ctx.cache_jobs(jobs, columns)
    return outcomes


def _as_written(outcome: Outcome, job_id: str) -> Outcome:
    """Return the outcome with the job's id as the client wrote it."""
    return JobNotFound(job_id) if isinstance(outcome, JobNotFound) else outcome


async def _create(
    ctx: Context, jobs: Sequence[NewJob], columns: Collection[str]
) -> Sequence[Creation]:
    async with ctx.write() as (session, org_id):
        outcomes = await create_jobs(
            session,
            org_id,
            jobs,
            now=ctx.now,
            detail=ctx.attribution(),
            returning=columns,
            # A guess of a redacted value must make no difference.
            hide=None if ctx.viewer_redaction is None else ctx.viewer_redaction.json,
        )
        created = [each.job for each in outcomes if isinstance(each, CreatedJob)]
        if len(created) < len(outcomes):
            raise RollbackError
    if len(created) == len(outcomes):
        ctx.cache_jobs(created, columns)
    return outcomes


def _check_new(job: NewJob, prefix: str, max_json_bytes: int) -> None:
    check_name(f"{prefix}type", job.type)
    check_name(f"{prefix}queue", job.queue)
    check_name(f"{prefix}idempotencyKey", job.idempotency_key)
    check_name(f"{prefix}requestedBy", job.requested_by)
    check_name(f"{prefix}batch", job.batch)
    check_tags(f"{prefix}tags", job.tags)
    check_attempts(f"{prefix}maxAttempts", job.max_attempts)
    check_json(f"{prefix}payload", job.payload, max_json_bytes)


def _checked_item(
    ctx: Context, number: int, job_id: str, wanted: Transition
) -> Change | InvalidInput:
    """Check one transition of a batch."""
    parsed = parse_uuid(job_id)
    if parsed is None:
        return InvalidInput(f"input.{number}.id", "A job's id must be a UUID.")
    try:
        return parsed, checked(ctx, wanted, f"input.{number}.")
    except InvalidInputError as error:
        return error.outcome


def checked(ctx: Context, wanted: Transition, prefix: str = "") -> Transition:
    """Check the parts of a transition, take its texts as they can be kept, and sign its detail."""
    check_json(f"{prefix}result", wanted.result, ctx.limits.max_json_bytes)
    check_name(f"{prefix}worker", wanted.worker)
    detail = check_object(f"{prefix}detail", wanted.detail, ctx.limits.max_json_bytes)
    return replace(
        wanted,
        error_code=storable_code(wanted.error_code),
        error_message=storable_message(wanted.error_message),
        detail={**detail, **ctx.attribution(storable_message(wanted.reason))},
    )

"""Creates, changes, cancels and retries jobs, and records events: each call in a transaction."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from db.commands.creation import Creation, NewJob, create_jobs
from db.commands.deletion import delete_jobs
from db.commands.events import record_event
from db.commands.transition_batches import Change, Outcome, change_jobs
from db.commands.transitions import STATE_COLUMNS, Transition, change_job, change_status
from db.criteria import JobCriteria
from db.error_texts import storable_code, storable_message
from db.limits import MAX_BATCH, MAX_TRANSITIONS
from db.outcomes import (
    ChangedJob,
    CreatedJob,
    IdempotencyConflict,
    IllegalTransition,
    JobNotFound,
    RecordedEvent,
)
from db.queries import jobs as queries
from db.queries.keyset import JOBS_NEWEST_FIRST, Window
from resolvers.context import Context, RollbackError
from resolvers.counting import as_count
from resolvers.errors import BadUserInputError
from resolvers.ids import parse_job_id, parse_uuid
from resolvers.mutation_results import (
    ChangedMany,
    CreatedMany,
    DeletedMany,
    InvalidInput,
    InvalidInputError,
    TransitionedMany,
)
from resolvers.narrowing import narrowed
from resolvers.validation import check_attempts, check_json, check_name, check_object

# How far a dry run counts, independently of its limit.
MAX_DRY_RUN_COUNT = 10_000


async def create(
    ctx: Context, job: NewJob, columns: Collection[str]
) -> CreatedJob | IdempotencyConflict:
    """Create a job, or find the one that the same key and input had made."""
    _check_new(job, "", ctx.limits.max_json_bytes)
    (outcome,) = await _create(ctx, [job], columns)
    return outcome


async def create_many(
    ctx: Context, jobs: Sequence[NewJob], columns: Collection[str]
) -> CreatedMany | IdempotencyConflict:
    """Create all jobs of a batch, or none where one's key belongs to other input."""
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
        if each.existing.id in created_ids:
            raise InvalidInputError(
                f"input.{index}.idempotencyKey",
                "The batch has this key twice, with different input.",
            )
        return each
    created = sum(each.created for each in jobs_found)
    rows = [each.job for each in jobs_found]
    return CreatedMany(rows, created, len(rows) - created)


async def transition(
    ctx: Context, job_id: str, wanted: Transition, columns: Collection[str]
) -> ChangedJob | JobNotFound | IllegalTransition:
    """Change a job's status, or tell what it met."""
    parsed = parse_job_id(job_id)
    read = STATE_COLUMNS.union(columns)
    change = _checked(ctx, wanted)
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


async def record(ctx: Context, job_id: str, detail: Any) -> RecordedEvent | JobNotFound:
    """Record an event that leaves the job's status as it is."""
    parsed = parse_job_id(job_id)
    checked = check_object("detail", detail, ctx.limits.max_json_bytes)
    async with ctx.write() as (session, org_id):
        outcome = await record_event(
            session, org_id, parsed, {**checked, **ctx.attribution()}, now=ctx.now
        )
    return JobNotFound(job_id) if isinstance(outcome, JobNotFound) else outcome


async def change_matching(
    ctx: Context,
    criteria: JobCriteria,
    limit: int,
    wanted: Transition,
    columns: Collection[str],
) -> ChangedMany:
    """Change the newest jobs that meet the criteria, up to `limit`, passing over locked ones."""
    _check_limit(limit)
    try:
        change = _checked(ctx, wanted)
    except InvalidInputError as error:
        raise BadUserInputError(f"'{error.outcome.field}': {error.outcome.message}") from None
    criteria = await narrowed(ctx, criteria) or criteria
    async with ctx.write() as (session, org_id):
        window = Window(JOBS_NEWEST_FIRST, limit + 1)
        found = await queries.list_jobs(session, org_id, criteria, window, ())
        ids = [row.id for row in found[:limit]]
        rows = await change_status(
            session,
            org_id,
            ids,
            change,
            now=ctx.now,
            backoff=ctx.limits.backoff.jittered(),
            criteria=criteria,
            skip_locked=True,
            returning=columns,
        )
    ctx.cache_jobs(rows, columns)
    place = {job_id: number for number, job_id in enumerate(ids)}
    changed = sorted(rows, key=lambda row: place[row.id])
    return ChangedMany(changed, as_count(len(found), limit), len(rows), len(ids) - len(rows))


async def delete_matching(
    ctx: Context, criteria: JobCriteria, limit: int, *, dry_run: bool, reason: str | None
) -> DeletedMany:
    """Delete the newest jobs that meet the criteria, up to `limit`, passing over locked ones.

    A dry run deletes nothing; it counts the jobs, up to MAX_DRY_RUN_COUNT.
    """
    _check_limit(limit)
    kept_reason = storable_message(reason)
    async with ctx.write() as (session, org_id):
        if dry_run:
            found = await queries.count_jobs(session, org_id, criteria, MAX_DRY_RUN_COUNT)
            return DeletedMany(as_count(found, MAX_DRY_RUN_COUNT), 0, dry_run, kept_reason)
        window = Window(JOBS_NEWEST_FIRST, limit + 1)
        rows = await queries.list_jobs(session, org_id, criteria, window, ())
        ids = [row.id for row in rows[:limit]]
        deleted = await delete_jobs(session, org_id, ids, criteria, skip_locked=True)
    return DeletedMany(as_count(len(rows), limit), len(deleted), dry_run, kept_reason)


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


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= MAX_BATCH:
        raise BadUserInputError(f"'limit' must be between 1 and {MAX_BATCH}.")


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
        return parsed, _checked(ctx, wanted, f"input.{number}.")
    except InvalidInputError as error:
        return error.outcome


def _checked(ctx: Context, wanted: Transition, prefix: str = "") -> Transition:
    """Check the parts of a transition, take its texts as they can be kept, and sign its detail."""
    check_json(f"{prefix}result", wanted.result, ctx.limits.max_json_bytes)
    detail = check_object(f"{prefix}detail", wanted.detail, ctx.limits.max_json_bytes)
    return replace(
        wanted,
        error_code=storable_code(wanted.error_code),
        error_message=storable_message(wanted.error_message),
        detail={**detail, **ctx.attribution(storable_message(wanted.reason))},
    )

"""Writes: jobs created, moved on, told of, canceled and retried, each call a transaction."""

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from db.commands.creation import Creation, NewJob, create_jobs
from db.commands.events import record_event
from db.commands.transitions import Transition, change_status
from db.criteria import JobCriteria
from db.queries import jobs as queries
from db.queries.keyset import JOBS_NEWEST_FIRST, Window
from db.queries.rows import AnyRow
from db.statuses import TRANSITIONS, JobStatus
from resolvers.context import Context
from resolvers.errors import BadUserInputError
from resolvers.ids import parse_job_id
from resolvers.inputs import (
    check_attempts,
    check_json,
    check_message,
    check_name,
    check_object,
)
from resolvers.outcomes import (
    Changed,
    ChangedMany,
    Created,
    CreatedMany,
    IdempotencyConflict,
    IllegalTransition,
    InvalidInputError,
    JobNotFound,
    Recorded,
)
from resolvers.paging import as_count

MAX_BATCH = 1_000
# How much a retry's wait may differ from its policy's, either way.
JITTER = 0.1
MET = frozenset({"status", "attempt", "max_attempts"})


async def create(
    ctx: Context, job: NewJob, columns: Collection[str]
) -> Created | IdempotencyConflict:
    """Create a job, or find the one that the same key and input had made."""
    (creation,) = await _create(ctx, [job], columns)
    if not creation.same_input:
        return IdempotencyConflict(creation.row)
    return Created(creation.row, creation.created)


async def create_many(
    ctx: Context, jobs: Sequence[NewJob], columns: Collection[str]
) -> CreatedMany | IdempotencyConflict:
    """Create all jobs of a batch, or none where one's key belongs to other input."""
    if len(jobs) > MAX_BATCH:
        raise InvalidInputError("input", f"It may hold at most {MAX_BATCH} jobs.")
    creations = await _create(ctx, jobs, columns) if jobs else []
    conflict = next((each.row for each in creations if not each.same_input), None)
    if conflict is not None:
        return IdempotencyConflict(conflict)
    created = sum(each.created for each in creations)
    return CreatedMany([each.row for each in creations], created, len(creations) - created)


async def transition(
    ctx: Context, job_id: str, wanted: Transition, columns: Collection[str]
) -> Changed | JobNotFound | IllegalTransition:
    """Change a job's status, or tell what it met."""
    parsed = parse_job_id(job_id)
    read = MET.union(columns)
    change = await _checked(ctx, wanted)
    async with ctx.write() as (session, org_id):
        rows = await change_status(
            session,
            org_id,
            [parsed],
            change,
            now=ctx.now,
            backoff=_backoff(ctx),
            returning=read,
        )
        met = rows or await queries.load_jobs_by_id(session, org_id, [parsed], read)
    ctx.remember_jobs(met, read)
    if not met:
        return JobNotFound(job_id)
    return Changed(met[0]) if rows else _illegal(met[0], wanted)


async def record(ctx: Context, job_id: str, detail: Any) -> Recorded | JobNotFound:
    """Record an event that leaves the job's status as it is."""
    parsed = parse_job_id(job_id)
    checked = check_object("detail", detail, ctx.limits.max_json_bytes)
    async with ctx.write() as (session, org_id):
        seq = await record_event(
            session, org_id, parsed, {**checked, **ctx.signature()}, now=ctx.now
        )
    return JobNotFound(job_id) if seq is None else Recorded((parsed, seq))


async def change_matching(
    ctx: Context,
    criteria: JobCriteria,
    limit: int,
    wanted: Transition,
    columns: Collection[str],
) -> ChangedMany:
    """Change the newest jobs that meet the criteria, up to `limit`, passing over locked ones."""
    if not 1 <= limit <= MAX_BATCH:
        raise BadUserInputError(f"'limit' must be between 1 and {MAX_BATCH}.")
    change = await _checked(ctx, wanted)
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
            backoff=_backoff(ctx),
            skip_locked=True,
            returning=columns,
        )
    ctx.remember_jobs(rows, columns)
    place = {job_id: number for number, job_id in enumerate(ids)}
    changed = sorted(rows, key=lambda row: place[row.id])
    return ChangedMany(changed, as_count(len(found), limit), len(rows), len(ids) - len(rows))


async def _create(
    ctx: Context, jobs: Sequence[NewJob], columns: Collection[str]
) -> Sequence[Creation]:
    for number, job in enumerate(jobs):
        _check_new(job, f"input.{number}." if len(jobs) > 1 else "", ctx.limits.max_json_bytes)
    async with ctx.write() as (session, org_id):
        creations = await create_jobs(
            session, org_id, jobs, now=ctx.now, detail=ctx.signature(), returning=columns
        )
        if not all(each.same_input for each in creations):
            await session.rollback()
    if all(each.same_input for each in creations):
        ctx.remember_jobs([each.row for each in creations], columns)
    return creations


def _check_new(job: NewJob, prefix: str, max_json_bytes: int) -> None:
    check_name(f"{prefix}type", job.type)
    check_name(f"{prefix}queue", job.queue)
    check_name(f"{prefix}idempotencyKey", job.idempotency_key)
    check_name(f"{prefix}requestedBy", job.requested_by)
    check_attempts(f"{prefix}maxAttempts", job.max_attempts)
    check_json(f"{prefix}payload", job.payload, max_json_bytes)


async def _checked(ctx: Context, wanted: Transition) -> Transition:
    """Check the parts of a transition, and sign its detail."""
    check_name("errorCode", wanted.error_code)
    check_message("errorMessage", wanted.error_message)
    check_json("result", wanted.result, ctx.limits.max_json_bytes)
    detail: Mapping[str, Any] = check_object(
        "detail", wanted.detail or None, ctx.limits.max_json_bytes
    )
    return replace(wanted, detail={**detail, **ctx.signature(wanted.reason)})


def _backoff(ctx: Context) -> Any:
    jitter = 1 + JITTER * (2 * random.random() - 1)  # noqa: S311 - it spreads load, hides nothing
    return replace(ctx.limits.backoff, jitter=jitter)


def _illegal(met: AnyRow, wanted: Transition) -> IllegalTransition:
    current = JobStatus(met.status)
    left = met.attempt < met.max_attempts
    allowed = [
        status
        for status in JobStatus
        if status in TRANSITIONS[current]
        and (left or status is not JobStatus.RUNNING)
        and (left or status is not JobStatus.QUEUED or current is JobStatus.RUNNING)
    ]
    return IllegalTransition(current, wanted.to, allowed, met)

"""Reads of jobs: lists, counts, and batches by id."""

from collections.abc import Collection, Sequence
from functools import partial
from uuid import UUID

from db.commands.transitions import STATE_COLUMNS, Transition, is_allowed
from db.criteria import JobCriteria
from db.queries import jobs as queries
from db.queries.jobs import JobRow
from db.queries.keyset import JOB_ORDERS, JobOrderField
from db.statuses import JobStatus
from resolvers.context import Context
from resolvers.counting import Count, count_up_to
from resolvers.narrowing import located_to_count, narrowed, narrowed_to_count
from resolvers.paging import (
    ConnectionSource,
    Lists,
    PageArguments,
    PageNeeds,
    read_page,
    window,
)
from resolvers.viewer import Role

# The statuses that `cancelJob` and `retryJob` set.
OPERATOR_TARGETS = (JobStatus.CANCELED, JobStatus.QUEUED)
ALLOWED_COLUMNS = STATE_COLUMNS


async def list_jobs(
    ctx: Context,
    criteria: JobCriteria | None,
    field: JobOrderField,
    arguments: PageArguments,
    needs: PageNeeds,
    columns: Collection[str],
    *,
    descending: bool,
) -> ConnectionSource:
    """Return a page of the jobs that match the criteria.

    Raises BadUserInputError and InvalidCursorError for invalid page arguments.
    """
    page = window(JOB_ORDERS[field, descending], arguments, ctx.limits)
    # Without a page there is nothing to narrow for one.
    has_page = needs.rows or needs.more_after or needs.more_before
    narrow_to_count = located_to_count if has_page else narrowed_to_count
    if has_page:
        criteria = await narrowed(ctx, criteria)
    rows, more = await read_page(
        page, needs, lambda wider: ctx.read(queries.list_jobs, criteria, wider, columns)
    )
    ctx.cache_jobs(rows, columns)

    async def count(_keys: Sequence[None], at_most: int | None) -> list[Count]:
        wanted = await narrow_to_count(ctx, criteria, at_most)
        return [await count_up_to(at_most, lambda most: ctx.read(queries.count_jobs, wanted, most))]

    async def behind(_keys: Sequence[None]) -> list[bool]:
        return [await ctx.read(queries.job_exists_behind, criteria, page)]

    return ConnectionSource(Lists(page, count, behind), None, rows, more)


def allowed_transitions(ctx: Context, job: JobRow) -> list[JobStatus]:
    """Return the statuses that the viewer's mutations can change the job to now."""
    transitions = [
        Transition(to=status, by_operator=by_operator)
        for role, by_operator in ((Role.WRITER, False), (Role.OPERATOR, True))
        if ctx.viewer.may(role)
        for status in (OPERATOR_TARGETS if by_operator else JobStatus)
    ]
    allowed = {each.to for each in transitions if is_allowed(each, job)}
    return [status for status in JobStatus if status in allowed]


async def get_job(ctx: Context, job_id: UUID, columns: Collection[str]) -> JobRow | None:
    """Return a job or None; concurrent calls of a request are batched into one statement."""
    (job,) = await get_jobs(ctx, [job_id], columns)
    return job


async def get_jobs(
    ctx: Context, ids: Sequence[UUID], columns: Collection[str]
) -> Sequence[JobRow | None]:
    """Return jobs in the order of their ids, None for each unknown one.

    Concurrent calls are batched. Jobs that the request has already read with these columns are not
    read again.
    """
    batch = partial(_load_jobs, ctx, columns=columns)
    return await ctx.load(("jobs", frozenset(columns)), batch, ids)


async def _load_jobs(
    ctx: Context, ids: Sequence[UUID], columns: Collection[str]
) -> list[JobRow | None]:
    missing = [job_id for job_id in ids if ctx.cached_job(job_id, columns) is None]
    read = await ctx.read(queries.load_jobs_by_id, missing, columns) if missing else ()
    ctx.cache_jobs(read, columns)
    by_id = {row.id: row for row in read}
    return [by_id.get(job_id) or ctx.cached_job(job_id, columns) for job_id in ids]

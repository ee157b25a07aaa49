"""What jobs were at a time."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from db.queries.moments import MomentRow, load_moments_by_job
from resolvers.context import Context


async def get_moments(
    ctx: Context, job_ids: Sequence[UUID], time: datetime
) -> Sequence[MomentRow | None]:
    """Return what each job was at this time, None if it did not exist.

    A time in the future is now. Concurrent calls are batched into one statement.
    """
    # As `statusCounts(at:)`: what is now has no limit, since clocks differ.
    until = time if time < ctx.now else None

    async def batch(missing: Sequence[UUID]) -> list[MomentRow | None]:
        rows = await ctx.read(load_moments_by_job, missing, until)
        by_job = {row.job_id: row for row in rows}
        return [by_job.get(job_id) for job_id in missing]

    return await ctx.load(("moments", until), batch, job_ids)

"""The health of jobs."""

from collections.abc import Mapping, Sequence

from db.health import Health, Usual, judge
from db.queries.health import load_usual
from db.queries.jobs import JobRow
from resolvers.context import Context

_NOTHING = Usual()


async def judge_jobs(ctx: Context, jobs: Sequence[JobRow]) -> Sequence[Health]:
    """Judge jobs, which have JUDGED_COLUMNS; one statement for a request."""
    usual = await usual_by_type(ctx)
    return [judge(job, usual.get(job.type, _NOTHING), ctx.now) for job in jobs]


async def usual_by_type(ctx: Context) -> Mapping[str, Usual]:
    """Return what is usual, by type; one statement for a request."""

    async def batch(_keys: Sequence[None]) -> list[dict[str, Usual]]:
        return [await ctx.read(load_usual)]

    found: Sequence[dict[str, Usual]] = await ctx.load("usual", batch, [None])
    return found[0]

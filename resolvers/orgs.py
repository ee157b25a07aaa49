"""Reads of the viewer's organisation."""

from collections.abc import Sequence
from uuid import UUID

from db.queries.orgs import get_org_name
from resolvers.context import Context


async def get_org_names(ctx: Context, org_ids: Sequence[UUID]) -> Sequence[str | None]:
    """Return the name of the viewer's organisation for each of these ids, which are all its own."""

    async def batch(missing: Sequence[UUID]) -> list[str | None]:
        return [await ctx.read(get_org_name)] * len(missing)

    return await ctx.load("organisation's name", batch, org_ids)

"""Jobs and events by global id, for the fields `node` and `nodes`."""

import asyncio
from collections.abc import Collection, Sequence
from uuid import UUID

from db.queries.events import JobEventRow
from db.queries.jobs import JobRow
from resolvers.context import Context
from resolvers.errors import BadUserInputError
from resolvers.events import get_event
from resolvers.ids import parse_node_id
from resolvers.jobs import get_job

NodeRow = JobRow | JobEventRow


async def get_node(
    ctx: Context, text: str, job_columns: Collection[str], event_columns: Collection[str]
) -> NodeRow | None:
    """Return the job or event with this id, or None. Raises BadUserInputError if malformed."""
    node_id = parse_node_id(text)
    if isinstance(node_id, UUID):
        return await get_job(ctx, node_id, job_columns)
    return await get_event(ctx, node_id, event_columns)


async def list_nodes(
    ctx: Context, ids: Sequence[str], job_columns: Collection[str], event_columns: Collection[str]
) -> list[NodeRow | BadUserInputError | None]:
    """Return the jobs and events with these ids, in the same order; one statement per table.

    The item of an unknown id is None, that of a malformed id its error. Raises BadUserInputError
    for too many ids.
    """
    if len(ids) > ctx.limits.page_size_max:
        raise BadUserInputError(f"'ids' may hold at most {ctx.limits.page_size_max} ids.")

    async def get(text: str) -> NodeRow | BadUserInputError | None:
        try:
            return await get_node(ctx, text, job_columns, event_columns)
        except BadUserInputError as error:
            return error

    return await asyncio.gather(*(get(text) for text in ids))

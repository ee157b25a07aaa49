"""Jobs, events and batches by global id, for the fields `node` and `nodes`."""

import asyncio
from collections.abc import Collection, Sequence
from uuid import UUID

from db.queries.events import JobEventRow
from db.queries.jobs import JobRow
from resolvers.context import Context
from resolvers.errors import BadUserInputError
from resolvers.events import get_events
from resolvers.ids import EventId, parse_node_id
from resolvers.jobs import get_job, get_jobs
from resolvers.relations import Batch, get_batches

Source = JobRow | JobEventRow | Batch


async def get_node(
    ctx: Context, text: str, job_columns: Collection[str], event_columns: Collection[str]
) -> Source | None:
    """Return what has this id, or None. Raises BadUserInputError if it is malformed."""
    node_id = parse_node_id(text)
    if isinstance(node_id, UUID):
        return await get_job(ctx, node_id, job_columns)
    if isinstance(node_id, str):
        (batch,) = await get_batches(ctx, [node_id])
        return batch
    (event,) = await get_events(ctx, [node_id], event_columns)
    return event


async def list_nodes(
    ctx: Context, ids: Sequence[str], job_columns: Collection[str], event_columns: Collection[str]
) -> list[Source | BadUserInputError | None]:
    """Return what has these ids, in the same order; one statement for jobs, events and batches.

    The item of an unknown id is None, that of a malformed id its error. Raises BadUserInputError
    for too many ids.
    """
    if len(ids) > ctx.limits.page_size_max:
        raise BadUserInputError(f"'ids' may hold at most {ctx.limits.page_size_max} ids.")
    parsed = [_parsed(text) for text in ids]
    job_ids = [each for each in parsed if isinstance(each, UUID)]
    event_ids = [each for each in parsed if isinstance(each, tuple)]
    names = [each for each in parsed if isinstance(each, str)]
    jobs, events, batches = await asyncio.gather(
        get_jobs(ctx, job_ids, job_columns),
        get_events(ctx, event_ids, event_columns),
        get_batches(ctx, names),
    )
    ids_ = (*job_ids, *event_ids, *names)
    found = dict(zip(ids_, (*jobs, *events, *batches), strict=True))
    return [each if isinstance(each, BadUserInputError) else found[each] for each in parsed]


def _parsed(text: str) -> UUID | EventId | str | BadUserInputError:
    try:
        return parse_node_id(text)
    except BadUserInputError as error:
        return error

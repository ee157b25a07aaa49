"""Jobs, events, batches, error groups and sources by global id, for `node` and `nodes`."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from db.queries.error_groups import ErrorGroup
from db.queries.events import JobEventRow
from db.queries.jobs import JobRow
from db.queries.rows import AnyRow
from resolvers.context import Context
from resolvers.error_groups import get_error_groups
from resolvers.errors import BadUserInputError
from resolvers.events import get_events
from resolvers.ids import ErrorGroupId, NodeId, SourceId, parse_node_id
from resolvers.jobs import get_job, get_jobs
from resolvers.relations import Batch, get_batches
from resolvers.sources import get_sources

Source = JobRow | JobEventRow | Batch | ErrorGroup | AnyRow


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
    if isinstance(node_id, ErrorGroupId):
        (group,) = await get_error_groups(ctx, [node_id.uuid])
        return group
    if isinstance(node_id, SourceId):
        (source,) = await get_sources(ctx, [node_id.uuid])
        return source
    (event,) = await get_events(ctx, [node_id], event_columns)
    return event


async def list_nodes(
    ctx: Context, ids: Sequence[str], job_columns: Collection[str], event_columns: Collection[str]
) -> list[Source | BadUserInputError | None]:
    """Return what has these ids, in the same order; a number of statements that does not grow.

    The item of an unknown id is None, that of a malformed id its error. Raises BadUserInputError
    for too many ids.
    """
    if len(ids) > ctx.limits.page_size_max:
        raise BadUserInputError(f"'ids' may hold at most {ctx.limits.page_size_max} ids.")
    parsed = [_parsed(text) for text in ids]
    job_ids = [each for each in parsed if isinstance(each, UUID)]
    names = [each for each in parsed if isinstance(each, str)]
    group_ids = [each for each in parsed if isinstance(each, ErrorGroupId)]
    source_ids = [each for each in parsed if isinstance(each, SourceId)]
    event_ids = [
        each
        for each in parsed
        if isinstance(each, tuple) and not isinstance(each, ErrorGroupId | SourceId)
    ]
    jobs, events, batches, groups, found_sources = await asyncio.gather(
        get_jobs(ctx, job_ids, job_columns),
        get_events(ctx, event_ids, event_columns),
        get_batches(ctx, names),
        get_error_groups(ctx, [each.uuid for each in group_ids]),
        get_sources(ctx, [each.uuid for each in source_ids]),
    )
    ids_ = (*job_ids, *event_ids, *names, *group_ids, *source_ids)
    sources = (*jobs, *events, *batches, *groups, *found_sources)
    found: dict[Any, Source | None] = dict(zip(ids_, sources, strict=True))
    return [each if isinstance(each, BadUserInputError) else found[each] for each in parsed]


def _parsed(text: str) -> NodeId | BadUserInputError:
    try:
        return parse_node_id(text)
    except BadUserInputError as error:
        return error

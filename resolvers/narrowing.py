"""Makes filters easier before jobs are read: looks up which values or jobs a condition can mean.

The result finds the same jobs, because all conditions stay.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from db.criteria import JobCriteria, JobEventCriteria, TextCriteria
from db.queries.payloads import find_jobs_containing, is_indexed
from db.queries.values import TextColumn, list_matching_values
from resolvers.context import Context

# With more values, a page of each is more to read than the newest jobs until the page is full.
MOST_VALUES = 100


async def narrowed(ctx: Context, criteria: JobCriteria | None) -> JobCriteria | None:
    """Add the ids of jobs whose payload matches, and the values that match parts of text."""
    if criteria is None or criteria.ids is not None:
        return criteria
    ids = await _ids_by_payload(ctx, criteria)
    if ids is not None:
        return replace(criteria, ids=ids)
    for name in TextColumn:
        text: TextCriteria | None = getattr(criteria, name.value)
        if text is not None and _has_parts(text):
            values = await ctx.read(list_matching_values, name, text)
            if values is not None and len(values) <= MOST_VALUES:
                change: dict[str, Any] = {name.value: replace(text, in_=values)}
                criteria = replace(criteria, **change)
    return criteria


async def narrowed_events(
    ctx: Context, criteria: JobEventCriteria | None
) -> JobEventCriteria | None:
    """Narrow the filter of the events' jobs."""
    if criteria is None or criteria.job is None:
        return criteria
    return replace(criteria, job=await narrowed(ctx, criteria.job))


async def _ids_by_payload(ctx: Context, criteria: JobCriteria) -> Sequence[UUID] | None:
    for part in (criteria, *(criteria.and_ or ())):
        containment = part.payload_contains
        if containment is not None and is_indexed(containment.document):
            return await ctx.read(find_jobs_containing, containment)
    return None


def _has_parts(text: TextCriteria) -> bool:
    parts = (text.starts_with, text.contains, text.contains_ignore_case)
    return text.eq is None and text.in_ is None and any(part is not None for part in parts)

"""Makes filters easier before jobs are read: looks up which values or jobs a condition can mean.

The result finds the same jobs, because all conditions stay.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from db.criteria import (
    Found,
    JobCriteria,
    JobEventCriteria,
    MessagePart,
    SearchCriteria,
    Tags,
    TextCriteria,
)
from db.health import HealthVerdict
from db.queries.payloads import (
    MOST_JOBS,
    find_jobs_containing,
    is_indexed,
)
from db.queries.searches import find_jobs_by_key_or_id, find_jobs_with_message
from db.queries.tags import (
    are_tags_common,
    find_all_jobs_with_tags,
    find_jobs_with_tags,
    has_only_tags,
)
from db.queries.values import TextColumn, list_matching_values
from resolvers.context import Context
from resolvers.health import usual_by_type

# With more values, a page of each is more to read than the newest jobs until the page is full.
MOST_VALUES = 100


async def narrowed(ctx: Context, criteria: JobCriteria | None) -> JobCriteria | None:
    """Add the ids of jobs that may match, and the values that match parts of text."""
    if criteria is None or criteria.ids is not None:
        return criteria
    for part in (criteria, *(criteria.and_ or ())):
        ids = await _ids(ctx, part)
        if ids is not None:
            return replace(criteria, ids=ids)
    if criteria.tags:
        are_common = await ctx.read(are_tags_common, Tags(criteria.tags))
        criteria = replace(criteria, tags_are_common=are_common or None)
    if criteria.search is not None:
        found = await _found(ctx, criteria.search)
        if found is not None:
            return _restricted(criteria, criteria.search, found)
    return await _of_values(ctx, await _of_unknown_types(ctx, criteria))


async def narrowed_to_count(
    ctx: Context, criteria: JobCriteria | None, at_most: int | None = None
) -> JobCriteria | None:
    """Narrow a filter for a count of all jobs, unless `at_most` bounds it."""
    return await with_tagged_ids(ctx, await narrowed(ctx, criteria), at_most)


async def with_tagged_ids(
    ctx: Context, criteria: JobCriteria | None, at_most: int | None
) -> JobCriteria | None:
    """Add to a narrowed filter the ids of the jobs with tags that many of the newest jobs have.

    A page of these is soon full without, and so is a count up to a bound.
    """
    if criteria is None or criteria.ids is not None or at_most is not None:
        return criteria
    if has_only_tags(criteria):
        # Their counts need no ids.
        return criteria
    for part in (criteria, *(criteria.and_ or ())):
        if part.tags:
            ids = await ctx.read(find_all_jobs_with_tags, Tags(part.tags))
            if ids is not None:
                return replace(criteria, ids=ids)
    return criteria


async def _of_values(ctx: Context, criteria: JobCriteria) -> JobCriteria:
    """Add the values that match parts of text."""
    for name in TextColumn:
        text: TextCriteria | None = getattr(criteria, name.value)
        if text is not None and _has_parts(text):
            values = await ctx.read(list_matching_values, name, text)
            if values is not None and len(values) <= MOST_VALUES:
                change: dict[str, Any] = {name.value: replace(text, in_=values)}
                criteria = replace(criteria, **change)
    return criteria


async def _of_unknown_types(ctx: Context, criteria: JobCriteria) -> JobCriteria:
    """Restrict jobs that cannot be judged to the types of which too little is known."""
    health = criteria.health
    if health is None or set(health.verdicts) != {HealthVerdict.UNKNOWN} or criteria.type:
        return criteria
    types = await ctx.read(list_matching_values, TextColumn.TYPE, TextCriteria())
    if types is None:
        return criteria
    usual = await usual_by_type(ctx)
    unknown = [each for each in types if each not in usual or not usual[each].is_known]
    if len(unknown) > MOST_VALUES:
        return criteria
    return replace(criteria, type=TextCriteria(in_=unknown))


async def narrowed_events(
    ctx: Context, criteria: JobEventCriteria | None
) -> JobEventCriteria | None:
    """Narrow the filter of the events' jobs."""
    if criteria is None or criteria.job is None:
        return criteria
    return replace(criteria, job=await narrowed(ctx, criteria.job))


async def _ids(ctx: Context, criteria: JobCriteria) -> Sequence[UUID] | None:
    """Find all jobs that may match, if they are few."""
    containment = criteria.payload_contains
    ids: Sequence[UUID] | None = None
    if containment is not None and is_indexed(containment.document):
        ids = await ctx.read(find_jobs_containing, containment)
    if ids is None and criteria.tags:
        ids = await ctx.read(find_jobs_with_tags, Tags(criteria.tags))
    part = _message_part(criteria.last_error_message)
    if ids is None and part is not None:
        ids = await ctx.read(find_jobs_with_message, part)
    return ids


def _message_part(text: TextCriteria | None) -> MessagePart | None:
    """Return the longest text that the message must contain."""
    if text is None:
        return None
    parts = (text.eq, text.starts_with, text.contains, text.contains_ignore_case)
    given = [part for part in parts if part]
    return MessagePart(max(given, key=len), text.hides_credentials) if given else None


def _restricted(criteria: JobCriteria, search: SearchCriteria, found: Found) -> JobCriteria:
    if found.type or found.requested_by or found.last_error_code:
        return replace(criteria, search=replace(search, found=found))
    return replace(criteria, ids=found.ids or [])


async def _found(ctx: Context, search: SearchCriteria) -> Found | None:
    ids: list[UUID] = []
    if not search.skips_messages:
        part = MessagePart(search.text, search.hides_credentials)
        by_message = await ctx.read(find_jobs_with_message, part)
        if by_message is None:
            return None
        ids += by_message
    by_key_or_id = await ctx.read(find_jobs_by_key_or_id, search)
    if by_key_or_id is None or len(ids) + len(by_key_or_id) > MOST_JOBS:
        return None
    values: dict[str, Sequence[str] | None] = {}
    for name in (TextColumn.TYPE, TextColumn.REQUESTED_BY, TextColumn.LAST_ERROR_CODE):
        text = TextCriteria(contains_ignore_case=search.text)
        matching = await ctx.read(list_matching_values, name, text)
        if matching is None or len(matching) > MOST_VALUES:
            return None
        values[name.value] = matching or None
    return Found([*ids, *by_key_or_id] or None, **values)


def _has_parts(text: TextCriteria) -> bool:
    parts = (text.starts_with, text.contains, text.contains_ignore_case)
    return text.eq is None and text.in_ is None and any(part is not None for part in parts)

"""Makes filters easier before jobs are read: looks up which values or jobs a condition can mean.

The result finds the same jobs, because all conditions stay.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from db.criteria import (
    Found,
    JobCriteria,
    JobEventCriteria,
    Locations,
    MessagePart,
    SearchCriteria,
    Tags,
    TextCriteria,
)
from db.health import HealthVerdict
from db.queries.locations import MOST_JOBS, count_locations, list_ids_at
from db.queries.payloads import is_indexed, locate_jobs_containing
from db.queries.searches import find_jobs_by_key_or_id, locate_jobs_with_message
from db.queries.tags import are_tags_common, has_only_tags, locate_jobs_with_tags
from db.queries.values import TextColumn, list_matching_values
from resolvers.context import Context
from resolvers.health import usual_by_type

# With more values, a page of each is more to read than the newest jobs until the page is full.
MOST_VALUES = 100


async def narrowed(
    ctx: Context, criteria: JobCriteria | None, *, with_common: bool = False
) -> JobCriteria | None:
    """Add where the jobs are that may match, and the values that match parts of text.

    The result is for the request's read transaction only. `with_common`: locate the jobs even if a
    page of them is soon full without.
    """
    if criteria is None or criteria.ids is not None:
        return criteria
    criteria = await _located(ctx, criteria, with_common=with_common)
    if criteria.locations is not None:
        return criteria
    if criteria.tags:
        are_common = await ctx.read(are_tags_common, Tags(criteria.tags))
        criteria = replace(criteria, tags_are_common=are_common or None)
    if criteria.search is not None:
        searched = await _searched(ctx, criteria, criteria.search)
        if searched is not criteria:
            return searched
    return await _of_values(ctx, await _of_unknown_types(ctx, criteria))


async def narrowed_to_count(
    ctx: Context, criteria: JobCriteria | None, at_most: int | None
) -> JobCriteria | None:
    """Narrow a filter for counts of jobs by status now, of all unless `at_most` bounds them."""
    if criteria is None or (at_most is None and has_only_tags(criteria)):
        # Counts of jobs with tags and no other condition have a function.
        return criteria
    # Up to a bound of each status: jobs of most statuses have no message.
    has_message = _message_part(criteria.last_error_message) is not None
    return await narrowed(ctx, criteria, with_common=at_most is None or has_message)


async def narrowed_by_ids(ctx: Context, criteria: JobCriteria | None) -> JobCriteria | None:
    """Narrow a filter for another transaction, or for a statement that reads more than jobs.

    PostgreSQL does not know how many locations there are: beside another table it may look through
    all of them for each row of that.
    """
    found = await narrowed(ctx, criteria)
    if found is None or found.locations is None:
        return found
    ids = await ctx.read(list_ids_at, found.locations)
    return replace(found, ids=ids, locations=None)


async def located_to_count(
    ctx: Context, criteria: JobCriteria | None, at_most: int | None
) -> JobCriteria | None:
    """Narrow a filter that was narrowed for a page, for a count of all jobs.

    As `narrowed_to_count`, what tags alone choose is left as it is.
    """
    if criteria is None or at_most is not None or has_only_tags(criteria):
        return criteria
    if criteria.ids is not None or criteria.locations is not None:
        return criteria
    return await _located(ctx, criteria, with_common=True)


async def _located(ctx: Context, criteria: JobCriteria, *, with_common: bool) -> JobCriteria:
    for part in (criteria, *(criteria.and_ or ())):
        locations = await _locations(ctx, part, with_common=with_common)
        if locations is not None:
            return replace(criteria, locations=locations)
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
    return replace(criteria, job=await narrowed_by_ids(ctx, criteria.job))


async def _locations(ctx: Context, criteria: JobCriteria, *, with_common: bool) -> Locations | None:
    """Locate all jobs that may match, if they are few."""
    containment = criteria.payload_contains
    found: Locations | None = None
    if containment is not None and is_indexed(containment.document):
        found = await ctx.read(locate_jobs_containing, containment, with_common=with_common)
    if found is None and criteria.tags:
        tags = Tags(criteria.tags)
        found = await ctx.read(locate_jobs_with_tags, tags, with_common=with_common)
    part = _message_part(criteria.last_error_message)
    if found is None and part is not None:
        found = await ctx.read(locate_jobs_with_message, part, with_common=with_common)
    return found


def _message_part(text: TextCriteria | None) -> MessagePart | None:
    """Return the longest text that the message must contain."""
    if text is None:
        return None
    parts = (text.eq, text.starts_with, text.contains, text.contains_ignore_case)
    given = [part for part in parts if part]
    if not given:
        return None
    return MessagePart(max(given, key=len), text.hides_credentials, among_messages=True)


async def _searched(ctx: Context, criteria: JobCriteria, search: SearchCriteria) -> JobCriteria:
    """Restrict a search to the values that contain the text and to all other jobs that match."""
    by_message: Locations | None = Locations("{}")
    if not search.skips_messages:
        part = MessagePart(search.text, search.hides_credentials)
        by_message = await ctx.read(locate_jobs_with_message, part)
    ids = None if by_message is None else await ctx.read(find_jobs_by_key_or_id, search)
    values = None if ids is None else await _values_containing(ctx, search.text)
    if by_message is None or ids is None or values is None:
        return criteria
    if count_locations(by_message):
        if not ids and not values:
            return replace(criteria, locations=by_message)
        # PostgreSQL finds rows either by their locations or by indexes.
        ids = [*ids, *await ctx.read(list_ids_at, by_message)]
    if len(ids) > MOST_JOBS:
        return criteria
    if not values:
        return replace(criteria, ids=ids)
    return replace(criteria, search=replace(search, found=Found(ids or None, **values)))


async def _values_containing(ctx: Context, text: str) -> dict[str, Sequence[str]] | None:
    """List the values of the searched columns that contain the text; None: they are too many."""
    values: dict[str, Sequence[str]] = {}
    for name in (TextColumn.TYPE, TextColumn.REQUESTED_BY, TextColumn.LAST_ERROR_CODE):
        part = TextCriteria(contains_ignore_case=text)
        matching = await ctx.read(list_matching_values, name, part)
        if matching is None or len(matching) > MOST_VALUES:
            return None
        if matching:
            values[name.value] = matching
    return values


def _has_parts(text: TextCriteria) -> bool:
    parts = (text.starts_with, text.contains, text.contains_ignore_case)
    return text.eq is None and text.in_ is None and any(part is not None for part in parts)

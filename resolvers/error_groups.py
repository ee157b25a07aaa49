"""Reads of error groups: lists, batches by id, trends and samples."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from db.criteria import JobCriteria
from db.queries import error_groups as queries
from db.queries.error_groups import ErrorGroup, NewErrors
from db.queries.jobs import JobRow
from db.queries.keyset import ERROR_GROUP_ORDERS, ErrorGroupOrder
from db.tallies.spans import Span
from resolvers.context import Context
from resolvers.counting import Count, as_count, check_at_most
from resolvers.errors import BadUserInputError, ForbiddenError
from resolvers.narrowing import narrowed_by_ids
from resolvers.paging import (
    ConnectionSource,
    Lists,
    PageArguments,
    PageNeeds,
    cut,
    looks_ahead,
    window,
)
from resolvers.redaction import Redaction
from resolvers.time_buckets import MAX_BUCKETS, TimeBucketSize, bucket_edges

# The keys under which error messages are secret.
_MESSAGES = ("last_error_message", "error_message")
_SPANS = {
    TimeBucketSize.HOUR: Span.HOUR,
    TimeBucketSize.DAY: Span.DAY,
    TimeBucketSize.WEEK: Span.DAY,
}


def are_hidden(redaction: Redaction | None) -> bool:
    """Return whether error messages are secret: then groups, too, whose ids would confirm guesses.

    `redaction`: what is redacted for the viewer, or None.
    """
    return redaction is not None and any(map(redaction.is_secret, _MESSAGES))


def check_shown(redaction: Redaction | None) -> None:
    """Raise ForbiddenError if error messages are redacted for the viewer."""
    if are_hidden(redaction):
        raise ForbiddenError("Error messages are redacted. Their groups require the role ADMIN.")


async def list_error_groups(
    ctx: Context,
    criteria: JobCriteria | None,
    since: datetime | None,
    order: ErrorGroupOrder,
    arguments: PageArguments,
    needs: PageNeeds,
) -> ConnectionSource:
    """Return a page of the groups, with the largest value of the order first.

    `criteria`: only groups that have the last error of a job that meets them. `since`: only those
    that were seen from then on. Raises ForbiddenError, and for invalid page arguments
    BadUserInputError and InvalidCursorError.
    """
    check_shown(ctx.viewer_redaction)
    page = window(ERROR_GROUP_ORDERS[order], arguments, ctx.limits)
    criteria = await narrowed_by_ids(ctx, criteria)
    rows = await ctx.read(queries.list_error_groups, await _new_errors(ctx), criteria)
    key = page.order.key
    found = sorted(
        (row for row in rows if since is None or row.last_seen_at >= since), key=key, reverse=True
    )
    start = 0 if page.after is None else sum(key(row) >= page.after for row in found)

    async def count(_keys: Sequence[None], at_most: int | None) -> list[Count]:
        check_at_most(at_most)
        return [as_count(len(found), at_most)]

    async def behind(_keys: Sequence[None]) -> list[bool]:
        return [start > 0]

    end = start + page.limit + looks_ahead(page, needs)
    shown, more = cut(page, found[start:end], needs)
    return ConnectionSource(Lists(page, count, behind), None, shown, more)


async def get_error_groups(ctx: Context, ids: Sequence[UUID | None]) -> Sequence[ErrorGroup | None]:
    """Return the groups with these ids, in the same order; None for unknown and hidden ones."""
    if are_hidden(ctx.viewer_redaction):
        return [None] * len(ids)

    async def batch(missing: Sequence[UUID]) -> list[ErrorGroup | None]:
        found = await ctx.read(queries.load_error_groups, missing, await _new_errors(ctx))
        return [found.get(each) for each in missing]

    wanted = [each for each in ids if each is not None]
    groups = await ctx.load("error groups", batch, wanted) if wanted else []
    by_id = dict(zip(wanted, groups, strict=True))
    return [None if each is None else by_id[each] for each in ids]


async def get_samples(
    ctx: Context, groups: Sequence[ErrorGroup], columns: Collection[str]
) -> Sequence[JobRow | None]:
    """Return the newest job whose last error is of each group; None if none is left."""

    async def batch(missing: Sequence[UUID]) -> list[JobRow | None]:
        found = await ctx.read(queries.load_samples, missing, columns)
        return [found.get(each) for each in missing]

    return await ctx.load(("error samples", frozenset(columns)), batch, [g.id for g in groups])


async def get_trends(
    ctx: Context, groups: Sequence[ErrorGroup], size: TimeBucketSize, count: int
) -> Sequence[list[int]]:
    """Count the errors of each group in the last `count` buckets, of which the last is not over.

    Raises BadUserInputError.
    """
    span = _SPANS.get(size)
    if span is None:
        raise BadUserInputError("'bucket' must be HOUR, DAY or WEEK.")
    if not 1 <= count <= MAX_BUCKETS:
        raise BadUserInputError(f"'buckets' must be between 1 and {MAX_BUCKETS}.")
    until = ctx.now + timedelta(microseconds=1)
    edges = bucket_edges(ctx.now - (count - 1) * size.length, until, size, "UTC")

    async def batch(missing: Sequence[UUID]) -> list[list[int]]:
        new = await _new_errors(ctx)
        found = await ctx.read(queries.load_error_trends, missing, edges, span, new)
        return [found[each] for each in missing]

    return await ctx.load(("error trends", size, count), batch, [group.id for group in groups])


async def _new_errors(ctx: Context) -> NewErrors:
    """Read the errors that are not summed yet, once in a request."""

    async def batch(_keys: Sequence[None]) -> list[NewErrors]:
        return [await ctx.read(queries.read_new_errors)]

    (found,) = await ctx.load("new errors", batch, [None])
    errors: NewErrors = found
    return errors

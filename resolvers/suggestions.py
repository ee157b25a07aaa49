"""Suggestions of values for search boxes."""

from collections.abc import Sequence
from dataclasses import dataclass

from db.queries.dimensions import JobDimension
from db.queries.values import MOST_JOBS, TextColumn, list_suggestions
from db.validation import text_fault
from resolvers.context import Context
from resolvers.counting import Count, as_count
from resolvers.errors import BadUserInputError
from resolvers.limits import RequestLimits
from resolvers.paging import page_size

# The default number of suggestions.
SUGGESTIONS = 10
_COLUMNS = {JobDimension(each.value): each for each in TextColumn}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A value and the number of jobs that have it, counted up to MOST_JOBS."""

    value: str
    count: Count


def suggestions_size(first: int, limits: RequestLimits) -> int:
    """Return the number of suggestions; the default is reduced if pages must be smaller."""
    if first == SUGGESTIONS:
        return min(first, limits.page_size_max)
    return page_size(first, "first", limits)


async def suggest(
    ctx: Context, dimension: JobDimension, prefix: str, first: int
) -> Sequence[Suggestion]:
    """Return values of the dimension that begin with the prefix, the commonest first.

    Raises BadUserInputError for a dimension that is not text, and for an invalid argument.
    """
    column = _COLUMNS.get(dimension)
    if column is None:
        names = ", ".join(each.name for each in _COLUMNS)
        raise BadUserInputError(f"'field' must be one of {names}.")
    if (fault := text_fault(prefix)) is not None:
        raise BadUserInputError(fault)
    limit = suggestions_size(first, ctx.limits)
    rows = await ctx.read(list_suggestions, column, prefix, limit)
    return [Suggestion(row.value, as_count(row.jobs, MOST_JOBS)) for row in rows]

"""Counts that may stop at a maximum."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from db.limits import MAX_INT32
from db.statuses import JobStatus
from resolvers.errors import BadUserInputError


@dataclass(frozen=True, slots=True)
class Count:
    """A count. If not `is_exact`, counting stopped at `value` and there are more."""

    value: int
    is_exact: bool


@dataclass(frozen=True, slots=True)
class StatusCount:
    """The number of jobs that have a status."""

    status: JobStatus
    count: Count


async def count_up_to(at_most: int | None, count: Callable[[int | None], Awaitable[int]]) -> Count:
    """Count with `count`, which must stop at `at_most` + 1. None counts everything.

    Raises BadUserInputError for an invalid `at_most`.
    """
    check_at_most(at_most)
    return as_count(await count(at_most), at_most)


def as_count(value: int, at_most: int | None) -> Count:
    """Make a Count of a number that was counted up to `at_most` + 1."""
    if at_most is None or value <= at_most:
        return Count(value, is_exact=True)
    return Count(at_most, is_exact=False)


def check_at_most(at_most: int | None) -> None:
    """Raise BadUserInputError if `at_most` is negative or too large for a GraphQL Int."""
    if at_most is not None and not 0 <= at_most < MAX_INT32:
        raise BadUserInputError(f"'atMost' must be between 0 and {MAX_INT32 - 1}.")

"""Jobs by where they are in the table, which one statement finds for others; see db.criteria."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Integer,
    Text,
    any_,
    cast,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import UserDefinedType

from db.criteria import Locations
from db.queries.rows import AnySelect, read
from db.tables import job_table

# The most jobs that are located for a page, instead of reading the newest ones until it is full;
# and to count them, instead of reading all.
MOST_JOBS, MOST_COUNTED = 10_000, 50_000


class _Location(UserDefinedType[Any]):
    """PostgreSQL's type of a `ctid`."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "TID"


def are_at(locations: Locations) -> ColumnElement[bool]:
    """Match the rows of `job` at these locations."""
    # Of a subquery the planner does not know how many there are, so it reads the rows that are
    # there. It would read all jobs in the order of the list, and compare their locations.
    each = select(func.unnest(cast(literal(locations, Text()), ARRAY(_Location))))
    return literal_column("job.ctid") == any_(func.array(each.scalar_subquery()))


def located(
    search: Callable[..., ColumnElement[Any]], *arguments: ColumnElement[Any], with_common: bool
) -> AnySelect:
    """Select what a function finds that searches for rows.

    It finds nothing if there are more than MOST_JOBS, or if they are common: so many of all jobs
    that a page of the newest ones is soon full. `with_common`: if there are more than MOST_COUNTED.
    """
    most = literal(MOST_COUNTED if with_common else MOST_JOBS, Integer())
    return select(cast(search(*arguments, most, literal(with_common, Boolean())), Text()))


def count_locations(locations: Locations) -> int:
    """Return how many there are."""
    return locations.count("(")


async def list_ids_at(session: AsyncSession, org_id: UUID, locations: Locations) -> Sequence[UUID]:
    """List the ids of the organisation's jobs at these locations."""
    return [row.id for row in await read(session, _ids_at, org_id, locations)]


def _ids_at(org_id: UUID, locations: Locations) -> AnySelect:
    return select(job_table.c.id).where(job_table.c.org_id == org_id, are_at(locations))

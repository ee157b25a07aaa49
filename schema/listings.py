"""The arguments of lists of jobs: which jobs, and in which order."""

from collections.abc import Sequence
from typing import Annotated, Any

import strawberry

from db.criteria import JobCriteria
from db.queries.relations import Key, Relation
from resolvers.paging import PageArguments
from resolvers.relations import Selection, list_related_jobs
from schema.enums import OrderDirection
from schema.filters import JobFilter, JobOrder
from schema.selections import Info, Selections, selected

OptionalJobFilter = Annotated[
    JobFilter | None, strawberry.argument(description="Only matching jobs; omitted: all jobs.")
]
OptionalJobOrder = Annotated[
    JobOrder | None,
    strawberry.argument(description="The sort order; omitted: CREATED_AT, DESC."),
]


def criteria_of(info: Info, filter_: JobFilter | None) -> JobCriteria | None:
    """Convert a filter to criteria."""
    return filter_.criteria(info.context.now, info.context.viewer_redaction) if filter_ else None


async def related_jobs(
    info: Info,
    relation: Relation,
    keys: Sequence[Key],
    filter_: JobFilter | None,
    order_by: JobOrder | None,
    arguments: PageArguments,
) -> Sequence[Any]:
    """Return a page of the jobs of each key, for a field that is a JobConnection."""
    needs, columns = selected(info, Selections.job_page)
    order = order_by or JobOrder()
    descending = order.direction is OrderDirection.DESC
    selection = Selection(relation, criteria_of(info, filter_), order.field, descending)
    return await list_related_jobs(info.context, keys, selection, arguments, needs, columns)

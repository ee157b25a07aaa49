"""The arguments of lists of jobs: which jobs, and in which order."""

from typing import Annotated

import strawberry

from db.criteria import JobCriteria
from db.queries.relations import Relation
from resolvers.relations import Selection
from schema.enums import OrderDirection
from schema.filters import JobFilter, JobOrder
from schema.selections import Info

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


def selection_of(
    info: Info, relation: Relation, filter_: JobFilter | None, order_by: JobOrder | None
) -> Selection:
    """Convert the arguments of a list of related jobs."""
    order = order_by or JobOrder()
    descending = order.direction is OrderDirection.DESC
    return Selection(relation, criteria_of(info, filter_), order.field, descending)

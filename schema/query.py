"""The root type `Query`."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from db.criteria import JobCriteria
from db.queries.aggregates import JobDimension
from resolvers import aggregates, events, jobs, nodes
from resolvers.aggregates import TimeBucketSize
from resolvers.ids import parse_job_id
from resolvers.paging import LIST_SIZE, PageArguments
from resolvers.viewer import Role
from schema.aggregates import JobGroup, StatusCount, TimeBucket
from schema.connections import After, AtMost, Before, First, JobConnection, JobEventConnection, Last
from schema.enums import OrderDirection
from schema.filters import JobEventFilter, JobFilter, JobOrder
from schema.jobs import Job
from schema.nodes import Node
from schema.selections import Info, Selections, selected

JobsWanted = Annotated[
    JobFilter | None, strawberry.argument(description="Which jobs; left out: all.")
]


@strawberry.type(description="Who asks.")
class Viewer:
    org_id: UUID = strawberry.field(description="The organisation whose jobs are seen.")
    subject: str = strawberry.field(description="The name they go by.")
    roles: list[Role] = strawberry.field(description="What they may do.")


@strawberry.type(description="What can be asked. One response is one consistent snapshot.")
class Query:
    @strawberry.field(description="The job or event of this id; null if there is none.")
    async def node(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="A job's id or an event's.")],
    ) -> Node | None:
        job_columns, event_columns = _node_columns(info)
        return await nodes.get_node(info.context, id, job_columns, event_columns)

    @strawberry.field(
        description="The jobs and events of these ids, in their order. An unknown id's place is "
        "null, a malformed one's too, with an error."
    )
    async def nodes(
        self,
        info: Info,
        ids: Annotated[
            list[strawberry.ID], strawberry.argument(description="Ids of jobs and events.")
        ],
    ) -> list[Node | None]:
        job_columns, event_columns = _node_columns(info)
        return await nodes.list_nodes(info.context, ids, job_columns, event_columns)  # type: ignore[return-value]

    @strawberry.field(description="The job of this id; null if there is none.")
    async def job(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The job's UUID.")],
    ) -> Job | None:
        columns = selected(info, Selections.job)
        return await jobs.get_job(info.context, parse_job_id(id), columns)

    @strawberry.field(description="Jobs, by default the newest first.")
    async def jobs(
        self,
        info: Info,
        filter: JobsWanted = None,
        order_by: Annotated[
            JobOrder | None, strawberry.argument(description="Left out: CREATED_AT, DESC.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> JobConnection:
        order = order_by or JobOrder()
        needs, columns = selected(info, Selections.job_page)
        return await jobs.list_jobs(  # type: ignore[return-value]
            info.context,
            _criteria(info, filter),
            order.field,
            PageArguments(first, after, last, before),
            needs,
            columns,
            descending=order.direction is OrderDirection.DESC,
        )

    @strawberry.field(description="What happened to jobs, the newest first.")
    async def job_events(
        self,
        info: Info,
        filter: Annotated[
            JobEventFilter | None, strawberry.argument(description="Which events; left out: all.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> JobEventConnection:
        needs, columns = selected(info, Selections.event_page)
        return await events.list_events(  # type: ignore[return-value]
            info.context,
            filter.criteria(info.context.now, info.context.hiding) if filter else None,
            PageArguments(first, after, last, before),
            needs,
            columns,
        )

    @strawberry.field(description="How many jobs have each status; every status is present.")
    async def status_counts(
        self,
        info: Info,
        filter: JobsWanted = None,
        at_most: AtMost = None,
    ) -> list[StatusCount]:
        return await aggregates.count_by_status(  # type: ignore[return-value]
            info.context, _criteria(info, filter), at_most
        )

    @strawberry.field(
        description="Jobs grouped by one dimension or several, the largest groups first."
    )
    async def job_groups(
        self,
        info: Info,
        by: Annotated[
            list[JobDimension], strawberry.argument(description="What they are grouped by.")
        ],
        filter: JobsWanted = None,
        first: Annotated[
            int | None, strawberry.argument(description="How many groups.")
        ] = LIST_SIZE,
    ) -> list[JobGroup]:
        selections = Selections(info)
        fields = selections.fields(selections.nodes, "JobGroup")
        return await aggregates.group_jobs(  # type: ignore[return-value]
            info.context,
            _criteria(info, filter),
            by,
            first,
            with_wait="wait" in fields,
            with_run="run" in fields,
        )

    @strawberry.field(
        description="What jobs did over time. Every bucket that the range touches is present, at "
        f"most {aggregates.MAX_BUCKETS}; only what lies in the range is counted."
    )
    async def timeline(
        self,
        info: Info,
        from_: Annotated[
            datetime, strawberry.argument(name="from", description="Where the range begins.")
        ],
        until: Annotated[
            datetime, strawberry.argument(description="Where it ends; not part of it itself.")
        ],
        bucket: Annotated[
            TimeBucketSize, strawberry.argument(description="How long each bucket is.")
        ],
        filter: JobsWanted = None,
    ) -> list[TimeBucket]:
        return await aggregates.list_buckets(  # type: ignore[return-value]
            info.context, _criteria(info, filter), from_, until, bucket
        )

    @strawberry.field(description="Who asks.")
    def viewer(self, info: Info) -> Viewer:
        return info.context.viewer  # type: ignore[return-value]


def _criteria(info: Info, filter_: JobFilter | None) -> JobCriteria | None:
    return filter_.criteria(info.context.now, info.context.hiding) if filter_ else None


def _node_columns(info: Info) -> tuple[frozenset[str], frozenset[str]]:
    return selected(info, Selections.job), selected(info, Selections.event)

"""The root type `Query`."""

from collections.abc import KeysView
from datetime import datetime
from typing import Annotated

import strawberry
from graphql import FieldNode

from db.queries.dimensions import JobDimension
from db.queries.keyset import ErrorGroupOrder
from resolvers import (
    aggregates,
    error_groups,
    events,
    jobs,
    nodes,
    queues,
    sources,
    suggestions,
    timelines,
    workers,
)
from resolvers.ids import parse_job_id
from resolvers.paging import LIST_SIZE, PageArguments
from resolvers.queues import MAX_QUEUES, MINUTES
from resolvers.suggestions import SUGGESTIONS
from resolvers.time_buckets import MAX_BUCKETS, TimeBucketSize
from resolvers.timelines import MAX_SERIES, TimeRange
from resolvers.version import installed_version
from schema.aggregates import JobGroup, StatusCount, Suggestion, TimeBucket, TimelineSeries
from schema.connections import After, AtMost, Before, First, Last
from schema.enums import OrderDirection
from schema.error_groups import ErrorGroupConnection
from schema.events import JobEventConnection
from schema.filters import JobEventFilter, JobFilter, JobOrder
from schema.jobs import Job, JobConnection
from schema.listings import OptionalJobFilter, OptionalJobOrder, criteria_of
from schema.nodes import Node
from schema.queues import (
    HEAD_FIELDS,
    MINUTES_DESCRIPTION,
    QUEUE_NAMES_DESCRIPTION,
    QUEUES_DESCRIPTION,
    WORKERS_DESCRIPTION,
    QueueSummary,
    WorkerSummary,
)
from schema.selections import Info, Selections, selected
from schema.server import Server, Viewer
from schema.sources import Source

From = Annotated[datetime, strawberry.argument(name="from", description="The start of the range.")]
Until = Annotated[datetime, strawberry.argument(description="The end of the range, exclusive.")]
BucketSize = Annotated[
    TimeBucketSize, strawberry.argument(description="The length of each bucket.")
]
TimeZone = Annotated[
    str,
    strawberry.argument(
        description="The IANA name of the time zone in which days and weeks begin, such as "
        "`Europe/Berlin`. Shorter buckets are aligned to UTC."
    ),
]

Minutes = Annotated[int | None, strawberry.argument(description=MINUTES_DESCRIPTION)]


# The fields of a bucket that tell how long something took, and those that creations alone tell.
_DURATIONS = frozenset({"wait", "run"})
_OF_CREATIONS = frozenset({"start", "isPartial", "created"})


@strawberry.type(description="Reads. All fields of one response come from one consistent snapshot.")
class Query:
    @strawberry.field(description="The object with this id; null if there is none.")
    async def node(
        self,
        info: Info,
        id: Annotated[
            strawberry.ID,
            strawberry.argument(
                description="The id of a job, an event, a batch or an error group."
            ),
        ],
    ) -> Node | None:
        job_columns, event_columns = _node_columns(info)
        return await nodes.get_node(info.context, id, job_columns, event_columns)  # type: ignore[return-value]

    @strawberry.field(
        description="The objects with these ids, in the same order. The item of an unknown "
        "id is null; that of a malformed id is null with an error."
    )
    async def nodes(
        self,
        info: Info,
        ids: Annotated[
            list[strawberry.ID],
            strawberry.argument(description="Ids of jobs, events, batches and error groups."),
        ],
    ) -> list[Node | None]:
        job_columns, event_columns = _node_columns(info)
        return await nodes.list_nodes(info.context, ids, job_columns, event_columns)  # type: ignore[return-value]

    @strawberry.field(description="The job with this id; null if there is none.")
    async def job(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The job's UUID.")],
    ) -> Job | None:
        columns = selected(info, Selections.job)
        return await jobs.get_job(info.context, parse_job_id(id), columns)

    @strawberry.field(description="A list of jobs, by default the newest first.")
    async def jobs(
        self,
        info: Info,
        filter: OptionalJobFilter = None,
        order_by: OptionalJobOrder = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> JobConnection:
        order = order_by or JobOrder()
        needs, columns = selected(info, Selections.job_page)
        return await jobs.list_jobs(  # type: ignore[return-value]
            info.context,
            criteria_of(info, filter),
            order.field,
            PageArguments(first, after, last, before),
            needs,
            columns,
            descending=order.direction is OrderDirection.DESC,
        )

    @strawberry.field(description="A list of the events of all jobs, newest first.")
    async def job_events(
        self,
        info: Info,
        filter: Annotated[
            JobEventFilter | None,
            strawberry.argument(description="Only matching events; omitted: all."),
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> JobEventConnection:
        needs, columns = selected(info, Selections.event_page)
        return await events.list_events(  # type: ignore[return-value]
            info.context,
            filter.criteria(info.context.now, info.context.viewer_redaction) if filter else None,
            PageArguments(first, after, last, before),
            needs,
            columns,
        )

    @strawberry.field(description="The number of jobs in each status; every status is present.")
    async def status_counts(
        self,
        info: Info,
        filter: OptionalJobFilter = None,
        at_most: AtMost = None,
        at: Annotated[
            datetime | None,
            strawberry.argument(
                description="Count the jobs by the status that they had at this time, according "
                "to their events; omitted: now. Other conditions of the filter hold as of now."
            ),
        ] = None,
    ) -> list[StatusCount]:
        return await aggregates.count_by_status(  # type: ignore[return-value]
            info.context, criteria_of(info, filter), at_most, at
        )

    @strawberry.field(
        description="Jobs grouped by one or more dimensions, the largest groups first."
    )
    async def job_groups(
        self,
        info: Info,
        by: Annotated[
            list[JobDimension], strawberry.argument(description="The dimensions to group by.")
        ],
        filter: OptionalJobFilter = None,
        first: Annotated[
            int | None, strawberry.argument(description="The maximum number of groups.")
        ] = LIST_SIZE,
    ) -> list[JobGroup]:
        selections = Selections(info)
        fields = selections.fields(selections.nodes, "JobGroup")
        return await aggregates.group_jobs(  # type: ignore[return-value]
            info.context,
            criteria_of(info, filter),
            by,
            first,
            with_statuses="statusCounts" in fields,
            with_times=not fields.keys().isdisjoint({"oldestCreatedAt", "newestCreatedAt"}),
            with_wait="wait" in fields,
            with_run="run" in fields,
        )

    @strawberry.field(
        description="The status changes of jobs over time, in buckets of equal length. Every "
        f"bucket that overlaps the range is present, at most {MAX_BUCKETS}; only changes within "
        "the range are counted."
    )
    async def timeline(
        self,
        info: Info,
        from_: From,
        until: Until,
        bucket: BucketSize,
        filter: OptionalJobFilter = None,
        time_zone: TimeZone = "UTC",
    ) -> list[TimeBucket]:
        wanted = _fields_of_buckets(Selections(info).nodes, info)
        return await timelines.list_buckets(  # type: ignore[return-value]
            info.context,
            criteria_of(info, filter),
            TimeRange(from_, until, bucket, time_zone),
            with_durations=not wanted.isdisjoint(_DURATIONS),
            only_created=wanted <= _OF_CREATIONS,
        )

    @strawberry.field(
        description="The status changes of jobs over time, in a series for each of the values of a "
        "dimension that have the most changes, and one for the rest if there are more values. "
        "Jobs are counted under the value that they have now."
    )
    async def timeline_by(
        self,
        info: Info,
        by: Annotated[JobDimension, strawberry.argument(description="The dimension.")],
        from_: From,
        until: Until,
        bucket: BucketSize,
        time_zone: TimeZone = "UTC",
        filter: OptionalJobFilter = None,
        top: Annotated[
            int,
            strawberry.argument(description=f"The number of values, from 1 to {MAX_SERIES}."),
        ] = 8,
    ) -> list[TimelineSeries]:
        return await timelines.list_series(  # type: ignore[return-value]
            info.context,
            criteria_of(info, filter),
            TimeRange(from_, until, bucket, time_zone),
            by,
            top,
            with_durations=not _fields_of_buckets(_buckets(info), info).isdisjoint(_DURATIONS),
        )

    @strawberry.field(
        description="The groups of errors, by default the last seen first. Requires the role ADMIN "
        "if error messages are redacted."
    )
    async def error_groups(
        self,
        info: Info,
        filter: Annotated[
            JobFilter | None,
            strawberry.argument(
                description="Only groups that have the last error of a job that matches. Their "
                "figures are of all their errors."
            ),
        ] = None,
        since: Annotated[
            datetime | None,
            strawberry.argument(description="Only groups that were seen at this time or later."),
        ] = None,
        order_by: Annotated[
            ErrorGroupOrder, strawberry.argument(description="The order.")
        ] = ErrorGroupOrder.LAST_SEEN,
        first: First = None,
        after: After = None,
    ) -> ErrorGroupConnection:
        needs = selected(info, Selections.error_group_page)
        return await error_groups.list_error_groups(  # type: ignore[return-value]
            info.context,
            criteria_of(info, filter),
            since,
            order_by,
            PageArguments(first, after),
            needs,
        )

    @strawberry.field(
        description="Values of a field that begin with a text, the commonest first: for completion "
        "in search boxes. Where there are very many values, some that are not among those of the "
        "newest jobs may be missing."
    )
    async def suggest(
        self,
        info: Info,
        field: Annotated[
            JobDimension,
            strawberry.argument(
                description="TYPE, QUEUE, REQUESTED_BY, LAST_ERROR_CODE, BATCH or WORKER."
            ),
        ],
        prefix: Annotated[str, strawberry.argument(description="What the values begin with.")] = "",
        first: Annotated[
            int, strawberry.argument(description="The maximum number of values.")
        ] = SUGGESTIONS,
    ) -> list[Suggestion]:
        return await suggestions.suggest(info.context, field, prefix, first)  # type: ignore[return-value]

    @strawberry.field(description=QUEUES_DESCRIPTION)
    async def queues(
        self,
        info: Info,
        minutes: Minutes = MINUTES,
        first: Annotated[
            int | None,
            strawberry.argument(description=f"The maximum number of queues; null: {MAX_QUEUES}."),
        ] = MAX_QUEUES,
        names: Annotated[
            list[str] | None, strawberry.argument(description=QUEUE_NAMES_DESCRIPTION)
        ] = None,
    ) -> list[QueueSummary]:
        selections = Selections(info)
        fields = selections.fields(selections.nodes, "QueueSummary")
        return await queues.list_queues(  # type: ignore[return-value]
            info.context,
            minutes,
            first,
            names,
            with_durations=not fields.keys().isdisjoint({"wait", "run"}),
            with_heads=not fields.keys().isdisjoint(HEAD_FIELDS),
        )

    @strawberry.field(description="The systems whose jobs are recorded here, by their names.")
    async def sources(self, info: Info) -> list[Source]:
        return await sources.get_all_sources(info.context)  # type: ignore[return-value]

    @strawberry.field(description=WORKERS_DESCRIPTION)
    async def workers(self, info: Info, minutes: Minutes = MINUTES) -> list[WorkerSummary]:
        return await workers.summarise_workers(info.context, minutes)  # type: ignore[return-value]

    @strawberry.field(description="The server that answers this request.")
    def server(self, info: Info) -> Server:
        limits = info.context.limits
        return Server(
            version=installed_version(),
            now=info.context.now,
            page_size_max=limits.page_size_max,
            max_cost=limits.max_cost,
        )

    @strawberry.field(description="The authenticated client of this request.")
    def viewer(self, info: Info) -> Viewer:
        return info.context.viewer  # type: ignore[return-value]


def _buckets(info: Info) -> list[FieldNode]:
    selections = Selections(info)
    return selections.fields(selections.nodes, "TimelineSeries").get("buckets", [])


def _fields_of_buckets(nodes: list[FieldNode], info: Info) -> KeysView[str]:
    return Selections(info).fields(nodes, "TimeBucket").keys()


def _node_columns(info: Info) -> tuple[frozenset[str], frozenset[str]]:
    return selected(info, Selections.job), selected(info, Selections.event)

"""The type `ErrorGroup`, whose source is that of db.queries.error_groups, and its connection."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from db.queries import error_groups as queries
from db.tallies.errors import MAX_TYPES
from resolvers import error_groups
from resolvers.counting import as_count
from resolvers.ids import error_group_id
from resolvers.paging import ConnectionSource, count_lists
from resolvers.time_buckets import TimeBucketSize
from schema import connections
from schema.connections import AtMost, Count, PageInfo
from schema.execution.fields import Parents, leaf, level
from schema.nodes import Node
from schema.selections import Info, Selections, selected

if TYPE_CHECKING:
    from schema.jobs import Job

# A circle of imports: a Job has an error group, which has a Job.
LazyJob = Annotated["Job", strawberry.lazy(".jobs")]
Group = strawberry.Parent[queries.ErrorGroup]


@strawberry.type(
    description="Errors that are the same but for their numbers, ids, addresses, times and quoted "
    "text. The errors are those of events that end a run; they count also after their jobs are "
    "deleted."
)
class ErrorGroup(Node):
    @leaf("The global id.", {"id"})  # type: ignore[misc]
    def id(self, parent: Group) -> strawberry.ID:
        return strawberry.ID(error_group_id(parent.id))

    code: str | None = strawberry.field(description="The code of the errors; null if none has one.")

    @leaf(
        "What the messages have in common: what differs is replaced by placeholders, such as "
        "`<number>`.",
        {"message"},
    )
    def message(self, parent: Group, info: Info) -> str | None:
        return info.context.redact_text("last_error_message", parent.message)

    types: list[str] = strawberry.field(
        description="The types of the jobs that had such an error, in the order of the alphabet; "
        f"at most {MAX_TYPES}."
    )

    @strawberry.field(description="How many runs ended with such an error.")
    def count(self, parent: Group) -> Count:
        return as_count(parent.events, None)  # type: ignore[return-value]

    first_seen_at: datetime = strawberry.field(description="When the first such error happened.")
    last_seen_at: datetime = strawberry.field(description="When the last such error happened.")

    @level("How many such errors there were in each of the last intervals, the oldest first.")
    async def trend(
        self,
        parents: Parents[queries.ErrorGroup],
        info: Info,
        bucket: Annotated[
            TimeBucketSize,
            strawberry.argument(
                description="The length of an interval, in UTC: HOUR, DAY or WEEK."
            ),
        ] = TimeBucketSize.HOUR,
        buckets: Annotated[
            int,
            strawberry.argument(description="The number of intervals; the last is not over yet."),
        ] = 24,
    ) -> Sequence[list[int]]:
        return await error_groups.get_trends(info.context, parents, bucket, buckets)

    @level("The newest job whose last error is one of these; null if there is none.")
    async def sample(
        self, parents: Parents[queries.ErrorGroup], info: Info
    ) -> Sequence[LazyJob | None]:
        columns = selected(info, Selections.job)
        return await error_groups.get_samples(info.context, parents, columns)

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        """Return whether an object is a group."""
        return isinstance(source, queries.ErrorGroup)


@strawberry.type(description="An error group of a page and its cursor.")
class ErrorGroupEdge:
    node: ErrorGroup = strawberry.field(description="The group.")
    cursor: str = strawberry.field(description="The cursor, for `after`.")


@strawberry.type(description="A page of a list of error groups.")
class ErrorGroupConnection:
    @strawberry.field(description="The groups of the page with their cursors.")
    def edges(self, parent: strawberry.Parent[ConnectionSource]) -> list[ErrorGroupEdge]:
        return connections.edges(parent)  # type: ignore[return-value]

    @strawberry.field(description="The groups of the page.")
    def nodes(self, parent: strawberry.Parent[ConnectionSource]) -> list[ErrorGroup]:
        return parent.rows  # type: ignore[return-value]

    @strawberry.field(description="The position of the page in the list.")
    def page_info(self, parent: strawberry.Parent[ConnectionSource]) -> PageInfo:
        return parent  # type: ignore[return-value]

    @level("The number of groups in the whole list.")
    async def count(
        self, parents: Parents[ConnectionSource], at_most: AtMost = None
    ) -> Sequence[Count]:
        return await count_lists(parents, at_most)  # type: ignore[return-value]

"""Pages in the form of Relay's cursor connections, of jobs and of events.

A connection's source is a `resolvers.paging.ConnectionSource`, an edge's an `Edge`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from resolvers.counting import Count as CountValue
from resolvers.paging import ConnectionSource

if TYPE_CHECKING:
    from schema.events import JobEvent
    from schema.jobs import Job

LazyJob = Annotated["Job", strawberry.lazy("schema.jobs")]
LazyJobEvent = Annotated["JobEvent", strawberry.lazy("schema.events")]
First = Annotated[
    int | None,
    strawberry.argument(description="How many, from the list's beginning or after `after`."),
]
After = Annotated[
    str | None,
    strawberry.argument(description="A cursor: the page begins right after it. Empty: none."),
]
Last = Annotated[
    int | None, strawberry.argument(description="How many, from the list's end or before `before`.")
]
Before = Annotated[
    str | None,
    strawberry.argument(description="A cursor: the page ends right before it. Empty: none."),
]
AtMost = Annotated[
    int | None,
    strawberry.argument(
        description="Stop counting here. The count is then cheap however much there is."
    ),
]


@strawberry.type(description="A count that says how far it may be trusted.")
class Count:
    value: int = strawberry.field(description="The count, or the number at which counting stopped.")
    is_exact: bool = strawberry.field(
        description="Whether there are exactly so many; false: there are more."
    )


@dataclass(frozen=True, slots=True)
class Edge:
    """The source of an edge: a row and the connection whose order gives it a cursor."""

    node: Any
    connection: ConnectionSource

    @property
    def cursor(self) -> str:
        return self.connection.cursor(self.node)


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    @strawberry.field(description="Whether the list goes on after this page.")
    async def has_next_page(self, parent: strawberry.Parent[ConnectionSource]) -> bool:
        return await parent.has_next_page()

    @strawberry.field(description="Whether the list has something before this page.")
    async def has_previous_page(self, parent: strawberry.Parent[ConnectionSource]) -> bool:
        return await parent.has_previous_page()

    @strawberry.field(description="The cursor of the page's first edge; null on an empty page.")
    def start_cursor(self, parent: strawberry.Parent[ConnectionSource]) -> str | None:
        return parent.cursor(parent.rows[0]) if parent.rows else None

    @strawberry.field(description="The cursor of the page's last edge; null on an empty page.")
    def end_cursor(self, parent: strawberry.Parent[ConnectionSource]) -> str | None:
        return parent.cursor(parent.rows[-1]) if parent.rows else None


def _edges(parent: ConnectionSource) -> list[Edge]:
    return [Edge(row, parent) for row in parent.rows]


async def _count(parent: ConnectionSource, at_most: int | None) -> CountValue:
    return await parent.count(at_most)


@strawberry.type(description="A job's place in a page.")
class JobEdge:
    node: LazyJob = strawberry.field(description="The job.")
    cursor: str = strawberry.field(description="Its place: for `after` and `before`.")


@strawberry.type(description="An event's place in a page.")
class JobEventEdge:
    node: LazyJobEvent = strawberry.field(description="The event.")
    cursor: str = strawberry.field(description="Its place: for `after` and `before`.")


@strawberry.type(description="A page of a list of jobs.")
class JobConnection:
    @strawberry.field(description="The page's jobs with their cursors.")
    def edges(self, parent: strawberry.Parent[ConnectionSource]) -> list[JobEdge]:
        return _edges(parent)  # type: ignore[return-value]

    @strawberry.field(description="The page's jobs.")
    def nodes(self, parent: strawberry.Parent[ConnectionSource]) -> list[LazyJob]:
        return parent.rows  # type: ignore[return-value]

    @strawberry.field(description="Where the page stands in the list.")
    def page_info(self, parent: strawberry.Parent[ConnectionSource]) -> PageInfo:
        return parent  # type: ignore[return-value]

    @strawberry.field(description="How many jobs the whole list has.")
    async def count(
        self, parent: strawberry.Parent[ConnectionSource], at_most: AtMost = None
    ) -> Count:
        return await _count(parent, at_most)  # type: ignore[return-value]


@strawberry.type(description="A page of a list of events.")
class JobEventConnection:
    @strawberry.field(description="The page's events with their cursors.")
    def edges(self, parent: strawberry.Parent[ConnectionSource]) -> list[JobEventEdge]:
        return _edges(parent)  # type: ignore[return-value]

    @strawberry.field(description="The page's events.")
    def nodes(self, parent: strawberry.Parent[ConnectionSource]) -> list[LazyJobEvent]:
        return parent.rows  # type: ignore[return-value]

    @strawberry.field(description="Where the page stands in the list.")
    def page_info(self, parent: strawberry.Parent[ConnectionSource]) -> PageInfo:
        return parent  # type: ignore[return-value]

    @strawberry.field(description="How many events the whole list has.")
    async def count(
        self, parent: strawberry.Parent[ConnectionSource], at_most: AtMost = None
    ) -> Count:
        return await _count(parent, at_most)  # type: ignore[return-value]

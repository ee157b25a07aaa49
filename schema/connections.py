"""Relay cursor connections of jobs and events, and the arguments of their fields.

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

LazyJob = Annotated["Job", strawberry.lazy(".jobs")]
LazyJobEvent = Annotated["JobEvent", strawberry.lazy(".events")]
First = Annotated[
    int | None,
    strawberry.argument(
        description="The page size, forward from `after` or from the start of the list."
    ),
]
After = Annotated[
    str | None,
    strawberry.argument(
        description="A cursor; the page starts right after it. Empty is the same as null."
    ),
]
Last = Annotated[
    int | None,
    strawberry.argument(
        description="The page size, backward from `before` or from the end of the list."
    ),
]
Before = Annotated[
    str | None,
    strawberry.argument(
        description="A cursor; the page ends right before it. Empty is the same as null."
    ),
]
AtMost = Annotated[
    int | None,
    strawberry.argument(
        description="Stop counting at this number, which bounds the cost. Null: count all."
    ),
]


@strawberry.type(description="A count that may have stopped at a maximum.")
class Count:
    value: int = strawberry.field(
        description="The count, or the maximum at which counting stopped."
    )
    is_exact: bool = strawberry.field(
        description="Whether `value` is the exact count; if false, there are more."
    )


@dataclass(frozen=True, slots=True)
class Edge:
    """The source of an edge: a row, and the connection whose order its cursor belongs to."""

    node: Any
    connection: ConnectionSource

    @property
    def cursor(self) -> str:
        return self.connection.cursor(self.node)


@strawberry.type(description="The position of a page in its list.")
class PageInfo:
    @strawberry.field(description="Whether the list continues after this page.")
    async def has_next_page(self, parent: strawberry.Parent[ConnectionSource]) -> bool:
        return await parent.has_next_page()

    @strawberry.field(description="Whether the list has items before this page.")
    async def has_previous_page(self, parent: strawberry.Parent[ConnectionSource]) -> bool:
        return await parent.has_previous_page()

    @strawberry.field(
        description="The cursor of the first item of the page; null if the page is empty."
    )
    def start_cursor(self, parent: strawberry.Parent[ConnectionSource]) -> str | None:
        return parent.cursor(parent.rows[0]) if parent.rows else None

    @strawberry.field(
        description="The cursor of the last item of the page; null if the page is empty."
    )
    def end_cursor(self, parent: strawberry.Parent[ConnectionSource]) -> str | None:
        return parent.cursor(parent.rows[-1]) if parent.rows else None


def _edges(parent: ConnectionSource) -> list[Edge]:
    return [Edge(row, parent) for row in parent.rows]


async def _count(parent: ConnectionSource, at_most: int | None) -> CountValue:
    return await parent.count(at_most)


@strawberry.type(description="A job of a page and its cursor.")
class JobEdge:
    node: LazyJob = strawberry.field(description="The job.")
    cursor: str = strawberry.field(description="The cursor, for `after` and `before`.")


@strawberry.type(description="An event and its cursor.")
class JobEventEdge:
    node: LazyJobEvent = strawberry.field(description="The event.")
    cursor: str = strawberry.field(description="The cursor, for `after` and `before`.")


@strawberry.type(description="A page of a list of jobs.")
class JobConnection:
    @strawberry.field(description="The jobs of the page with their cursors.")
    def edges(self, parent: strawberry.Parent[ConnectionSource]) -> list[JobEdge]:
        return _edges(parent)  # type: ignore[return-value]

    @strawberry.field(description="The jobs of the page.")
    def nodes(self, parent: strawberry.Parent[ConnectionSource]) -> list[LazyJob]:
        return parent.rows  # type: ignore[return-value]

    @strawberry.field(description="The position of the page in the list.")
    def page_info(self, parent: strawberry.Parent[ConnectionSource]) -> PageInfo:
        return parent  # type: ignore[return-value]

    @strawberry.field(description="The number of jobs in the whole list.")
    async def count(
        self, parent: strawberry.Parent[ConnectionSource], at_most: AtMost = None
    ) -> Count:
        return await _count(parent, at_most)  # type: ignore[return-value]


@strawberry.type(description="A page of a list of events.")
class JobEventConnection:
    @strawberry.field(description="The events of the page with their cursors.")
    def edges(self, parent: strawberry.Parent[ConnectionSource]) -> list[JobEventEdge]:
        return _edges(parent)  # type: ignore[return-value]

    @strawberry.field(description="The events of the page.")
    def nodes(self, parent: strawberry.Parent[ConnectionSource]) -> list[LazyJobEvent]:
        return parent.rows  # type: ignore[return-value]

    @strawberry.field(description="The position of the page in the list.")
    def page_info(self, parent: strawberry.Parent[ConnectionSource]) -> PageInfo:
        return parent  # type: ignore[return-value]

    @strawberry.field(description="The number of events in the whole list.")
    async def count(
        self, parent: strawberry.Parent[ConnectionSource], at_most: AtMost = None
    ) -> Count:
        return await _count(parent, at_most)  # type: ignore[return-value]

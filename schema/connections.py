"""Relay cursor connections: their arguments, counts, page info and edges.

The connections themselves are in schema.jobs and schema.events. The source of a connection is a
resolvers.paging.ConnectionSource, that of an edge an `Edge`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import strawberry

from resolvers.paging import ConnectionSource, has_more
from schema.execution.fields import Parents, level

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
    @level("Whether the list continues after this page.")
    async def has_next_page(self, parents: Parents[ConnectionSource]) -> Sequence[bool]:
        return await has_more(parents, backward=False)

    @level("Whether the list has items before this page.")
    async def has_previous_page(self, parents: Parents[ConnectionSource]) -> Sequence[bool]:
        return await has_more(parents, backward=True)

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


def edges(parent: ConnectionSource) -> list[Edge]:
    """Return the edges of a connection."""
    return [Edge(row, parent) for row in parent.rows]

"""The interface `Node`: objects with a global id."""

import strawberry


@strawberry.interface(description="An object with a global id, which `Query.node` can fetch it by.")
class Node:
    id: strawberry.ID = strawberry.field(description="The global id, unique among all nodes.")

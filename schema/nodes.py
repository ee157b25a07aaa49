"""The interface `Node`: whatever has an id of its own."""

import strawberry


@strawberry.interface(description="Whatever has an id of its own and can be asked for by it.")
class Node:
    id: strawberry.ID = strawberry.field(description="The id, unique among all nodes.")

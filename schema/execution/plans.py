"""Plans: the selections of an operation, compiled once for all of its requests.

A plan holds nothing of a request. It depends on the operation, on the values of the variables in
`@skip` and `@include`, and on whether secrets are hidden from the viewer.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
)
from graphql.execution.collect_fields import FieldDetailsList
from strawberry.types.field import StrawberryField

from schema.execution.projections import Leaf, Project


class Way(Enum):
    """How the values of a step are resolved: all at once, or for each source.

    GIVEN: that of a subscription's root field, for each of its events.
    """

    FUNCTION = "function"
    COROUTINE = "coroutine"
    LEVEL = "level"
    GIVEN = "given"


@dataclass(slots=True, eq=False)
class Shape:
    """The type `of` a value: nullable or not, and a list of `item`, a leaf, an object or abstract.

    `levels`: of an object the one of its type, of an abstract type those of its possible types.
    `classes`: of values that were found to be of the type. The class decides: a type's `is_type_of`
    must not depend on more.
    """

    of: Any
    nullable: bool
    item: "Shape | None" = None
    complete: Callable[[Any], Any] | None = None
    levels: Mapping[str, "Level"] = field(default_factory=dict)
    classes: set[type[Any]] = field(default_factory=set)

    @property
    def waits(self) -> bool:
        """Whether some values cannot be completed on the spot."""
        if self.item is not None:
            return self.item.waits
        return any(level.waits for level in self.levels.values())


@dataclass(slots=True, eq=False)
class Step:
    """A field that is not part of a projection.

    `arguments`: as the resolver gets them; None if variables are among them. `info`: without
    context and variables. `selected`: what resolvers have read of the selections below the field.
    """

    name: str
    ordinal: int
    shape: Shape
    way: Way
    function: Callable[..., Any]
    arguments: Mapping[str, Any] | None
    takes_info: str | None
    takes_parent: bool
    details: FieldDetailsList
    nodes: list[FieldNode]
    declared: GraphQLField
    definition: StrawberryField
    info: GraphQLResolveInfo[Any]
    selected: dict[Hashable, Any] = field(default_factory=dict)
    waits: bool = field(init=False)

    def __post_init__(self) -> None:
        self.waits = self.way in {Way.COROUTINE, Way.LEVEL} or self.shape.waits

    @property
    def label(self) -> str:
        """The name of the field with that of its type, for messages."""
        return f"{self.info.parent_type}.{self.info.field_name}"


@dataclass(slots=True, eq=False)
class Level:
    """The fields that are selected on objects of one type.

    `width`: the bytes that each object takes at least. `error`: why the selections cannot be
    collected.
    """

    type: GraphQLObjectType
    counts: bool
    width: int = 0
    leaves: list[Leaf] = field(default_factory=list)
    project: Project | None = None
    steps: list[Step] = field(default_factory=list)
    error: GraphQLError | None = None

    @property
    def waits(self) -> bool:
        """Whether some of its fields cannot be answered on the spot."""
        return any(step.waits for step in self.steps)


@dataclass(slots=True, eq=False)
class Plan:
    """The compiled operation. `fields`: of its root; `size`: how many fields it has in all."""

    schema: GraphQLSchema
    fragments: dict[str, FragmentDefinitionNode]
    operation: OperationDefinitionNode
    root: Level
    fields: list[tuple[FieldNode, GraphQLField]]
    size: int

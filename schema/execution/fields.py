"""Declares fields whose resolvers the compiled executor calls itself.

Both executors call the same function. A `level` function gets all parents of a level of the
response at once, so that no field costs a coroutine or a statement for each of them.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any, TypeVar, get_args

import strawberry
from graphql import GraphQLField
from strawberry.types.field import StrawberryField

T = TypeVar("T")

# The parents of one level; of any objects, since a level's sources are rows as well as dataclasses.
Parents = Sequence[T]
LevelFunction = Callable[..., Awaitable[Sequence[Any]]]

_OPTIONS = "options"


@dataclass(frozen=True, slots=True)
class FieldOptions:
    """What the executors know of a field besides its Strawberry definition.

    `level`: its function over all parents. `needs`: the attributes of its parent that it reads,
    None for the one of its own name. `unredacted`: the attribute that it returns as it is for
    viewers who may see everything.
    """

    level: LevelFunction | None = None
    needs: frozenset[str] | None = None
    unredacted: str | None = None


def options(definition: StrawberryField) -> FieldOptions:
    """Return the options that a field was declared with."""
    found: FieldOptions = definition.metadata.get(_OPTIONS, FieldOptions())
    return found


def python_name(field: GraphQLField) -> str:
    """Return the name that a field has in Python."""
    definition: StrawberryField = field.extensions["strawberry-definition"]
    return definition.python_name


def needs(field: GraphQLField) -> frozenset[str]:
    """Return the attributes of its parent that a field reads."""
    declared = options(field.extensions["strawberry-definition"]).needs
    return frozenset({python_name(field)}) if declared is None else declared


def leaf(
    description: str, needs: Collection[str], *, unredacted: str | None = None
) -> Callable[[Callable[..., Any]], Any]:
    """Declare a scalar or enum that a function computes of attributes of its parent.

    The function must neither wait nor change anything. `needs`: the attributes that it reads;
    `unredacted`: see FieldOptions.
    """
    declared = FieldOptions(needs=frozenset(needs), unredacted=unredacted)
    return lambda function: strawberry.field(
        function, description=description, metadata={_OPTIONS: declared}
    )


def level(description: str, needs: Collection[str] = ()) -> Callable[[LevelFunction], Any]:
    """Declare a field that a function answers for all parents of a level at once.

    The function gets `self` (None), `parents`, `info` if it wants it, and the arguments; it returns
    the parents' answers in their order: `list[T]` for a field of type T. An answer may be an
    Exception, which is the error of this parent alone. `needs`: the attributes of the parents that
    it reads besides their keys.
    """

    def declare(function: LevelFunction) -> Any:
        declared = FieldOptions(function, frozenset(needs))
        return strawberry.field(
            _of_one(function), description=description, metadata={_OPTIONS: declared}
        )

    return declare


def _of_one(function: LevelFunction) -> Callable[..., Any]:
    """Make the resolver of a single object, which graphql-core's executor calls."""

    async def resolve(self: Any, **arguments: Any) -> Any:
        (answer,) = await function(None, [self], **arguments)
        if isinstance(answer, Exception):
            raise answer
        return answer

    declared = signature(function)
    (answer_type,) = get_args(declared.return_annotation)
    parameters = [each for each in declared.parameters.values() if each.name != "parents"]
    resolve.__signature__ = declared.replace(  # type: ignore[attr-defined]
        parameters=parameters, return_annotation=answer_type
    )
    resolve.__annotations__ = {
        each.name: each.annotation for each in parameters if each.annotation is not Parameter.empty
    } | {"return": answer_type}
    resolve.__module__, resolve.__name__ = function.__module__, function.__name__
    return resolve

"""How long the lists in a request's variables are. JSON values are no lists: their bytes count."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from graphql import (
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    OperationDefinitionNode,
    type_from_ast,
)

from schema.limits.bounds import Limits, check
from schema.schema import core_schema

Listing = tuple[tuple[str, GraphQLInputType], ...]


def listing_variables(operation: OperationDefinitionNode) -> Listing:
    """Name the variables of a valid operation that may hold lists, with their types."""
    found = []
    for definition in operation.variable_definitions or ():
        type_: Any = type_from_ast(core_schema, definition.type)
        if _holds_lists(type_):
            found.append((definition.variable.name.value, type_))
    return tuple(found)


def check_lists(listing: Listing, variables: Mapping[str, Any], limits: Limits) -> None:
    """Raise LimitError for a variable with a list that is too long."""
    for name, type_ in listing:
        if name in variables:
            words = f"The variable '${name}' has a list of {{}} items"
            check("listItems", _longest(variables[name], type_), limits.max_list_items, words)


def _longest(value: Any, type_: GraphQLInputType) -> int:
    longest = 0
    stack = [(value, type_)]
    while stack:
        each, kind = stack.pop()
        if isinstance(kind, GraphQLNonNull):
            kind = kind.of_type
        if isinstance(kind, GraphQLList):
            items = each if isinstance(each, list) else [each]
            longest = max(longest, len(items) if items is each else 0)
            if _holds_lists(kind.of_type):
                stack += [(item, kind.of_type) for item in items]
        elif isinstance(kind, GraphQLInputObjectType) and isinstance(each, dict):
            lists = ((name, field.type) for name, field in kind.fields.items())
            stack += [(each[n], t) for n, t in lists if n in each and _holds_lists(t)]
    return longest


@cache
def _holds_lists(type_: Any) -> bool:
    seen = set()
    stack = [type_]
    while stack:
        each = stack.pop()
        if isinstance(each, GraphQLList):
            return True
        if isinstance(each, GraphQLNonNull):
            stack.append(each.of_type)
        elif isinstance(each, GraphQLInputObjectType) and each.name not in seen:
            seen.add(each.name)
            stack += [field.type for field in each.fields.values()]
    return False

"""Sizes of variables and arguments, for each use, checked before they are coerced.

A JSON value counts only by its bytes, since it is not coerced.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    ValueNode,
    VariableNode,
    type_from_ast,
)

from resolvers.errors import BadUserInputError
from schema.limits.document_limits import DocumentLimits, check

# The values that an input object counts as: coercion and conversion visit every field of its type,
# whether given or not.
OBJECT_VALUES = 10


@dataclass(slots=True)
class InputSize:
    """The size of literals. `variables`: how often each variable is used in them.

    `repeated_bytes`: the bytes of every use but the first.
    """

    values: int = 0
    bytes: int = 0
    repeated_bytes: int = 0
    variables: Counter[str] = field(default_factory=Counter)

    def add(self, other: "InputSize", times: int) -> None:
        """Add a size that is used `times` times."""
        self.values += other.values * times
        self.repeated_bytes += other.bytes * (times - 1)
        for name, uses in other.variables.items():
            self.variables[name] += uses * times


def argument_size(node: FieldNode, definition: GraphQLField) -> InputSize:
    """Measure the arguments of a valid field."""
    size = InputSize()
    for argument in node.arguments or ():
        _add_literal(size, argument.value, definition.args[argument.name.value].type)
    return size


class InputSizes:
    """The variables of a valid operation: their types, and the sizes of their defaults."""

    def __init__(self, operation: OperationDefinitionNode, schema: GraphQLSchema) -> None:
        self.types: dict[str, Any] = {}
        self._defaults: dict[str, int] = {}
        for definition in operation.variable_definitions or ():
            name = definition.variable.name.value
            self.types[name] = type_from_ast(schema, definition.type)
            if definition.default_value is not None:
                default = InputSize()
                _add_literal(default, definition.default_value, self.types[name])
                self._defaults[name] = default.values

    def check(self, variables: Mapping[str, Any], used: InputSize, limits: DocumentLimits) -> None:
        """Check the variables and the `used` arguments. Raises LimitError."""
        values, repeated_bytes = used.values, used.repeated_bytes
        _check_values(values, limits)
        for name, type_ in self.types.items():
            times = max(1, used.variables[name])
            if name in variables:
                values += times * _values(name, variables[name], type_, limits)
            else:
                values += times * self._defaults.get(name, 0)
            _check_values(values, limits)
            if times > 1 and name in variables:
                repeated_bytes += (times - 1) * _bytes(name, variables[name])
        message = "Repeated uses of variables and arguments add {} bytes"
        check("inputBytes", repeated_bytes, limits.max_input_bytes, message)


def _check_values(values: int, limits: DocumentLimits) -> None:
    message = "Variables and arguments, counted for each use, have {} values"
    check("inputValues", values, limits.max_input_values, message)


def _values(name: str, value: Any, type_: Any, limits: DocumentLimits) -> int:
    values = 0
    stack = [(value, type_)]
    while stack:
        each, kind = stack.pop()
        if isinstance(kind, GraphQLNonNull):
            kind = kind.of_type
        if isinstance(kind, GraphQLList):
            items = each if isinstance(each, list) else [each]
            message = f"The variable '${name}' has a list of {{}} items"
            check("listItems", len(items), limits.max_list_items, message)
            values += len(items)
            if not _is_leaf(kind.of_type):
                stack += [(item, kind.of_type) for item in items]
        elif isinstance(kind, GraphQLInputObjectType) and isinstance(each, dict):
            values += OBJECT_VALUES
            stack += [(each[n], f.type) for n, f in kind.fields.items() if n in each]
        _check_values(values, limits)
    return values


def _bytes(name: str, value: Any) -> int:
    try:
        return len(orjson.dumps(value, default=str))
    except orjson.JSONEncodeError:
        raise BadUserInputError(f"The variable '${name}' is nested too deeply.") from None


def _add_literal(size: InputSize, literal: ValueNode, type_: Any) -> None:
    size.bytes += literal.loc.end - literal.loc.start if literal.loc else 0
    stack = [(literal, type_)]
    while stack:
        node, kind = stack.pop()
        if isinstance(kind, GraphQLNonNull):
            kind = kind.of_type
        if isinstance(node, VariableNode):
            size.variables[node.name.value] += 1
        elif isinstance(node, ListValueNode):
            is_typed = isinstance(kind, GraphQLList)
            size.values += len(node.values) if is_typed else 0
            stack += [(item, kind.of_type if is_typed else None) for item in node.values]
        elif isinstance(kind, GraphQLList):
            size.values += 1
            stack.append((node, kind.of_type))
        elif isinstance(node, ObjectValueNode):
            types = kind.fields if isinstance(kind, GraphQLInputObjectType) else {}
            size.values += OBJECT_VALUES if types else 0
            for each in node.fields:
                known = types.get(each.name.value)
                stack.append((each.value, known and known.type))


def _is_leaf(type_: Any) -> bool:
    named = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    return not isinstance(named, GraphQLList | GraphQLInputObjectType)

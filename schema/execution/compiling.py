"""Compiles an operation to a plan."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from inspect import isfunction, signature
from operator import attrgetter
from typing import Any

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    ListValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
    is_abstract_type,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet, collect_fields
from graphql.execution.executor import Executor
from graphql.execution.values import VariableValues, get_argument_values
from graphql.pyutils import Path
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from schema.execution.fallbacks import INTROSPECTION
from schema.execution.fields import options
from schema.execution.plans import Level, Plan, Shape, Step, Way
from schema.execution.projections import Leaf, completer, project
from schema.execution.sizes import object_bytes

# The members of a GraphQLResolveInfo that belong to a request.
OF_A_REQUEST = ("context", "variable_values", "abort_signal", "async_helpers")


class NotCompilableError(Exception):
    """The operation has a field that only graphql-core's executor can answer; says which."""


def compile_operation(executor: Executor[Any], counted: frozenset[str], *, hides: bool) -> Plan:
    """Compile the operation that an executor was built for.

    `counted`: the types whose objects are counted; `hides`: whether secrets are hidden from the
    viewer. Raises NotCompilableError.
    """
    return _Compiler(executor, counted, hides).plan()


class _Compiler:
    def __init__(self, executor: Executor[Any], counted: frozenset[str], hides: bool) -> None:
        self._executor = executor
        self._counted = counted
        self._hides = hides
        # Of fragments that several objects of a type share, a level is compiled once.
        self._levels: dict[tuple[object, ...], Level] = {}
        self._size = 0

    def plan(self) -> Plan:
        executor = self._executor
        operation = executor.operation
        root_type = executor.schema.get_root_type(operation.operation)
        assert root_type is not None
        root = Level(root_type, counts=False)
        fields = []
        try:
            collected = collect_fields(
                executor.schema, executor.fragments, executor.variable_values, root_type, operation
            ).grouped_field_set
        except GraphQLError as error:
            root.error = error.with_traceback(None)
        else:
            self._fill(root, collected)
            for details in collected.values():
                node = details[0].node
                if node.name.value in root_type.fields:
                    fields.append((node, root_type.fields[node.name.value]))
        return Plan(
            executor.schema, executor.fragment_definitions, operation, root, fields, self._size
        )

    def _level(self, type_: GraphQLObjectType, details: FieldDetailsList) -> Level:
        key = (type_.name, *(id(each.node) for each in details))
        level = self._levels.get(key)
        if level is None:
            level = self._levels[key] = Level(type_, counts=type_.name in self._counted)
            try:
                fields = self._executor.collect_subfields(type_, details).grouped_field_set
            except GraphQLError as error:
                level.error = error.with_traceback(None)
            else:
                self._fill(level, fields)
        return level

    def _fill(self, level: Level, fields: GroupedFieldSet) -> None:
        self._size += len(fields)
        for ordinal, (name, details) in enumerate(fields.items()):
            field = self._leaf_or_step(level.type, name, ordinal, details)
            if isinstance(field, Leaf):
                level.leaves.append(field)
            else:
                level.steps.append(field)
        level.width = object_bytes(fields)
        level.project = project(level.leaves, list(fields))

    def _leaf_or_step(
        self, parent: GraphQLObjectType, name: str, ordinal: int, details: FieldDetailsList
    ) -> Leaf | Step:
        nodes = [each.node for each in details]
        field_name = nodes[0].name.value
        field = self._executor.schema.get_field(parent, field_name)
        assert field is not None
        label = f"{parent.name}.{field_name}"
        type_: Any = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
        if field_name == "__typename":
            return Leaf(name, ordinal, type_, False, nodes, label, function=lambda _: parent.name)
        definition = field.extensions.get("strawberry-definition")
        if not isinstance(definition, StrawberryField):
            raise NotCompilableError(INTROSPECTION if field_name.startswith("__") else label)
        # Fields of a mutation are answered one after the other.
        is_serial = parent is self._executor.schema.mutation_type
        if is_leaf_type(type_) and not definition.is_async and not is_serial:
            leaf = Leaf(name, ordinal, type_, type_ is field.type, nodes, label)
            if (found := self._with_value(leaf, field, definition, details)) is not None:
                return found
        return self._step(parent, name, ordinal, details, field, definition)

    def _with_value(
        self,
        leaf: Leaf,
        field: GraphQLField,
        definition: StrawberryField,
        details: FieldDetailsList,
    ) -> Leaf | None:
        """Return the leaf with its way to a value; None if that depends on variables."""
        if definition.is_basic_field:
            return replace(leaf, attribute=definition.python_name)
        unredacted = options(definition).unredacted
        if unredacted is not None and not self._hides:
            return replace(leaf, attribute=unredacted)
        function, takes_info, takes_parent = _function(definition)
        given = self._arguments(field, definition, details)
        if given is None:
            return None
        return replace(
            leaf,
            function=partial(function, **given) if given else function,
            takes_parent=takes_parent,
            takes_info=takes_info,
        )

    def _step(
        self,
        parent: GraphQLObjectType,
        name: str,
        ordinal: int,
        details: FieldDetailsList,
        field: GraphQLField,
        definition: StrawberryField,
    ) -> Step:
        nodes = [each.node for each in details]
        path = Path(None, name, parent.name)
        way, function, takes_info, takes_parent = _way(definition)
        # Nothing of the request that the plan is compiled for.
        of_a_request: Any = dict.fromkeys(OF_A_REQUEST)
        info = self._executor.build_resolve_info(field, nodes, parent, path)
        info = info._replace(**of_a_request)
        return Step(
            name,
            ordinal,
            self._shape(field.type, details),
            way,
            function,
            self._arguments(field, definition, details),
            takes_info,
            takes_parent,
            details,
            nodes,
            field,
            definition,
            info,
        )

    def _shape(self, type_: GraphQLOutputType, details: FieldDetailsList) -> Shape:
        nullable = not isinstance(type_, GraphQLNonNull)
        inner = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        if isinstance(inner, GraphQLList):
            item = self._shape(inner.of_type, details)
            return Shape(inner, nullable, item, classes={list, tuple})
        if is_leaf_type(inner):
            return Shape(inner, nullable, complete=completer(inner))
        types: Iterable[Any] = (inner,)
        if is_abstract_type(inner):
            types = self._executor.schema.get_possible_types(inner)
        levels = {each.name: self._level(each, details) for each in types}
        return Shape(inner, nullable, levels=levels)

    def _arguments(
        self, field: GraphQLField, definition: StrawberryField, details: FieldDetailsList
    ) -> Mapping[str, Any] | None:
        """Convert the arguments of a field; None if this must be done for each request."""
        node = details[0].node
        if any(_has_variables(argument.value) for argument in node.arguments or ()):
            return None
        try:
            return convert(self._executor.schema, field, definition, node, None)
        except Exception:  # noqa: BLE001 - is raised again for each request
            return None


def convert(
    schema: Any,
    field: GraphQLField,
    definition: StrawberryField,
    node: FieldNode,
    variables: VariableValues | None,
) -> dict[str, Any]:
    """Convert a field's arguments as its resolver gets them.

    Raises GraphQLError, and whatever a scalar raises.
    """
    given = get_argument_values(field, node, variables)
    converter = schema._strawberry_schema.schema_converter  # noqa: SLF001 - has the registry
    return convert_arguments(
        given, definition.arguments, converter.scalar_registry, converter.config
    )


def _way(definition: StrawberryField) -> tuple[Way, Callable[..., Any], str | None, bool]:
    if definition.is_subscription:
        return Way.GIVEN, _not_called, None, False
    if definition.is_basic_field:
        return Way.FUNCTION, attrgetter(definition.python_name), None, False
    level = options(definition).level
    if level is not None:
        takes_info = "info" if "info" in signature(level).parameters else None
        return Way.LEVEL, level, takes_info, False
    function, takes_info, takes_parent = _function(definition)
    way = Way.COROUTINE if definition.is_async else Way.FUNCTION
    return way, function, takes_info, takes_parent


def _not_called() -> None:
    raise AssertionError


def _function(definition: StrawberryField) -> tuple[Callable[..., Any], str | None, bool]:
    """Return a resolver, the name of its info, and whether it gets its parent besides `self`."""
    resolver = definition.base_resolver
    if resolver is None or resolver.self_parameter is None or definition.extensions:
        raise NotCompilableError(definition.name)
    function = resolver.wrapped_func
    if not isfunction(function):
        raise NotCompilableError(definition.name)
    info = resolver.info_parameter
    return function, info.name if info else None, resolver.parent_parameter is not None


def _has_variables(value: ValueNode) -> bool:
    match value:
        case VariableNode():
            return True
        case ListValueNode():
            return any(map(_has_variables, value.values))
        case ObjectValueNode():
            return any(_has_variables(each.value) for each in value.fields)
    return False

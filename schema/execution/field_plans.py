"""How to get the fields of one selection, determined once for all of its objects."""

from collections.abc import Callable
from functools import partial
from inspect import isfunction
from operator import attrgetter
from typing import Any, NamedTuple

import orjson
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLScalarType,
)
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.execution.executor import Executor
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path, Undefined
from strawberry import Info, Schema
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from resolvers.response_size import ResponseSize

Getter = Callable[[Any], Any]

# The bytes of a field besides its name: quotes, colon, comma, and a value of one character.
FIELD_BYTES = 5


class Call(NamedTuple):
    """A field's resolver with its arguments, ready to be called with any source.

    The source's own path is not in `info`: our resolvers have no use for one.
    """

    resolve: Getter
    type: GraphQLOutputType
    info: GraphQLResolveInfo[Any]


class Step(NamedTuple):
    """One response field. A plain one, a scalar or enum that is there at once, has `get`."""

    response_name: str
    details: FieldDetailsList
    call: Call | None = None
    get: Getter | None = None
    coerce: Getter | None = None
    nullable: bool = False


class Plan:
    """The steps of one selection. `width`: the bytes that each object of it takes at least.

    Its texts and JSON values are counted as they are answered.
    """

    def __init__(
        self,
        executor: Executor[Any],
        parent_type: GraphQLObjectType,
        fields: GroupedFieldSet,
        path: Path | None,
    ) -> None:
        # Kept, because plans are found by its id(), which is only valid while it exists.
        self.fields = fields
        self.steps = [
            _step(executor, parent_type, Path(path, name, parent_type.name), details)
            for name, details in fields.items()
        ]
        self.is_plain = all(step.get for step in self.steps)
        self.width = sum(len(name.encode()) + FIELD_BYTES for name in fields)

    def answer(self, source: Any) -> tuple[dict[str, Any], GroupedFieldSet]:
        """Get the plain fields, and return those left: not plain, or failed.

        These have `Undefined` in their place.
        """
        results: dict[str, Any] = {}
        others: GroupedFieldSet = {}
        for name, details, _, get, coerce, nullable in self.steps:
            if get is not None:
                try:
                    value = get(source)
                    if value is not None:
                        results[name] = value if coerce is None else coerce(value)
                        continue
                except Exception:  # noqa: BLE001, S110 - who answers the others meets it again
                    pass
                else:
                    if nullable:
                        results[name] = None
                        continue
            results[name] = Undefined
            others[name] = details
        return results, others


def _step(
    executor: Executor[Any],
    parent_type: GraphQLObjectType,
    path: Path,
    details: FieldDetailsList,
) -> Step:
    name = str(path.key)
    field_name = details[0].node.name.value
    if field_name == "__typename":
        return Step(name, details, get=lambda _: parent_type.name)
    field = parent_type.fields.get(field_name)
    definition = field and field.extensions.get("strawberry-definition")
    if field is None or not isinstance(definition, StrawberryField):
        return Step(name, details)
    if definition.is_subscription:
        # Its resolver made the stream; for an event, the value is given.
        return Step(name, details)
    size: ResponseSize = executor.context_value.size
    nullable = not isinstance(field.type, GraphQLNonNull)
    type_ = field.type if nullable else field.type.of_type
    is_leaf = isinstance(type_, GraphQLScalarType | GraphQLEnumType)
    if is_leaf and definition.is_basic_field:
        get = attrgetter(definition.python_name)
        return Step(name, details, None, get, _coercer(type_, size), nullable)
    call = _call(executor, field, definition, parent_type, path, details)
    if call is None or not is_leaf or definition.is_async:
        return Step(name, details, call)
    return Step(name, details, call, call.resolve, _coercer(type_, size), nullable)


def _call(
    executor: Executor[Any],
    field: GraphQLField,
    definition: StrawberryField,
    parent_type: GraphQLObjectType,
    path: Path,
    details: FieldDetailsList,
) -> Call | None:
    info = executor.build_resolve_info(field, [each.node for each in details], parent_type, path)
    if definition.is_basic_field:
        return Call(attrgetter(definition.python_name), field.type, info)
    resolver = definition.base_resolver
    if resolver is None or resolver.self_parameter is None or definition.extensions:
        return None
    function = resolver.wrapped_func
    if not isfunction(function):
        return None
    try:
        arguments = _arguments(executor, field, definition, details)
    except Exception:  # noqa: BLE001 - graphql-core meets it again, and reports it in its place
        return None
    if resolver.info_parameter:
        arguments["info"] = Info(_raw_info=info, _field=definition)
    bound = partial(function, **arguments)
    if resolver.parent_parameter:
        return Call(lambda source: bound(source, source), field.type, info)
    return Call(bound, field.type, info)


def _arguments(
    executor: Executor[Any],
    field: GraphQLField,
    definition: StrawberryField,
    details: FieldDetailsList,
) -> dict[str, Any]:
    first = details[0]
    given = get_argument_values(
        field, first.node, executor.variable_values, first.fragment_variable_values
    )
    schema: Schema = executor.schema._strawberry_schema  # type: ignore[attr-defined]  # noqa: SLF001
    converter = schema.schema_converter
    return convert_arguments(
        given, definition.arguments, converter.scalar_registry, converter.config
    )


def _coercer(leaf: GraphQLScalarType | GraphQLEnumType, size: ResponseSize) -> Getter | None:
    """Get the function that completes a value, and counts its bytes if it may be long.

    Scalars come from typed columns and go as they are.
    """
    if isinstance(leaf, GraphQLEnumType):
        names = {value.value: name for name, value in leaf.values.items()}
        return names.__getitem__
    if leaf.name == "String":
        return partial(_counted_text, size)
    return partial(_counted_json, size) if leaf.name == "JSON" else None


def _counted_text(size: ResponseSize, text: str) -> str:
    size.bytes += len(text)
    return text


def _counted_json(size: ResponseSize, value: orjson.Fragment) -> orjson.Fragment:
    size.bytes += len(orjson.dumps(value))
    return value

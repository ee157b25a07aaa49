"""The executor: graphql-core's, with a short way for plain fields.

Most fields of a response are columns of a row: no arguments, no waiting, a scalar or an enum. For
those it plans once per selection how to get the value, and does no more than that per object.
Whatever is not plain, and whatever goes wrong, takes graphql-core's ordinary way.
"""

from collections.abc import Callable
from inspect import iscoroutinefunction, isfunction
from operator import attrgetter
from typing import Any, NamedTuple

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
)
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.execution.executor import Executor as CoreExecutor
from graphql.pyutils import AwaitableOrValue, Path, Undefined
from strawberry.types.field import StrawberryField

from schema.selections import Info

Getter = Callable[[Any], Any]


class Step(NamedTuple):
    """How one response field is answered: by `get` where that is given, else the ordinary way."""

    response_name: str
    details: FieldDetailsList
    get: Getter | None
    coerce: Callable[[Any], Any] | None
    nullable: bool


class Executor(CoreExecutor[Any]):
    """Runs one operation."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._plans: dict[int, tuple[GroupedFieldSet, list[Step]]] = {}

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Answer the fields of one object, plain ones on the spot."""
        known = self._plans.get(id(grouped_field_set))
        if known is None:
            # The set is kept beside its plan: its identity is its name only while it lives.
            known = (grouped_field_set, self._plan(parent_type, grouped_field_set, path))
            self._plans[id(grouped_field_set)] = known
        results: dict[str, Any] = {}
        ordinary: GroupedFieldSet = {}
        for name, details, get, coerce, nullable in known[1]:
            if get is not None:
                try:
                    value = get(source_value)
                    if value is not None:
                        results[name] = value if coerce is None else coerce(value)
                        continue
                except Exception:  # noqa: BLE001, S110 - the ordinary way meets and reports it again
                    pass
                else:
                    if nullable:
                        results[name] = None
                        continue
            # Keeps the field's place in the response.
            results[name] = Undefined
            ordinary[name] = details
        if not ordinary:
            return results
        return self._merged(
            results,
            super().execute_fields(parent_type, source_value, path, ordinary, position_context),
        )

    def _merged(
        self, results: dict[str, Any], others: AwaitableOrValue[dict[str, Any]]
    ) -> AwaitableOrValue[dict[str, Any]]:
        if isinstance(others, dict):
            results.update(others)
            return results

        async def merge() -> dict[str, Any]:
            results.update(await others)
            return results

        return merge()

    def build_resolve_info(
        self,
        field_def: GraphQLField,
        field_nodes: list[FieldNode],
        parent_type: GraphQLObjectType,
        path: Path,
    ) -> GraphQLResolveInfo[Any]:
        """Hand resolvers the variables as the plain dict that Strawberry expects."""
        info = super().build_resolve_info(field_def, field_nodes, parent_type, path)
        return info._replace(variable_values=self.variable_values.coerced)  # type: ignore[arg-type]

    def _plan(
        self, parent_type: GraphQLObjectType, fields: GroupedFieldSet, path: Path | None
    ) -> list[Step]:
        return [
            self._step(parent_type, response_name, details, path)
            for response_name, details in fields.items()
        ]

    def _step(
        self,
        parent_type: GraphQLObjectType,
        response_name: str,
        details: FieldDetailsList,
        path: Path | None,
    ) -> Step:
        field_name = details[0].node.name.value
        if field_name == "__typename":
            return Step(response_name, details, lambda _: parent_type.name, None, nullable=False)
        field = parent_type.fields.get(field_name)
        definition = field and field.extensions.get("strawberry-definition")
        if field is None or field.args or not isinstance(definition, StrawberryField):
            return Step(response_name, details, None, None, nullable=False)
        nullable = not isinstance(field.type, GraphQLNonNull)
        leaf = field.type if nullable else field.type.of_type
        if not isinstance(leaf, GraphQLScalarType | GraphQLEnumType):
            return Step(response_name, details, None, None, nullable=False)

        def info() -> Info:
            nodes = [detail.node for detail in details]
            where = Path(path, response_name, parent_type.name)
            raw = self.build_resolve_info(field, nodes, parent_type, where)
            return Info(_raw_info=raw, _field=definition)

        return Step(response_name, details, _getter(definition, info), _coercer(leaf), nullable)


def _getter(field: StrawberryField, info: Callable[[], Info]) -> Getter | None:
    """Find how to get a plain field's value from its source; None if it is not plain."""
    resolver = field.base_resolver
    if resolver is None:
        return attrgetter(field.python_name)
    function = resolver.wrapped_func
    names = [parameter.name for parameter in resolver.signature.parameters.values()]
    if not isfunction(function) or iscoroutinefunction(function):
        return None
    if names == ["self", "parent"]:
        return lambda source: function(source, source)
    if names == ["self", "parent", "info"]:
        # The object's own path is not in it: a plain field has no use for one.
        shared = info()
        return lambda source: function(source, source, shared)
    return None


def _coercer(leaf: GraphQLScalarType | GraphQLEnumType) -> Callable[[Any], Any] | None:
    """Find how a value is written out. Scalars come from typed columns and go as they are."""
    if isinstance(leaf, GraphQLEnumType):
        names = {value.value: name for name, value in leaf.values.items()}
        return names.__getitem__
    return None

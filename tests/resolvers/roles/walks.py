"""Operations that select everything below a field of the schema, and what their answers reached."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from graphql import (
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)

SHORT = 60
# What fields below the roots must be given.
REQUIRED = {"Job.at": '(time: "2026-01-01T00:00:30Z")'}


def operation(schema: GraphQLSchema, kind: str, name: str, given: Mapping[str, Any]) -> str:
    """Write the operation that selects a root field with these arguments, as variables."""
    root = {
        "query": schema.query_type,
        "mutation": schema.mutation_type,
        "subscription": schema.subscription_type,
    }[kind]
    assert root is not None
    field = root.fields[name]
    declared = ", ".join(f"${each}: {field.args[each].type}" for each in given)
    passed = ", ".join(f"{each}: ${each}" for each in given)
    below, shared = _below(schema, get_named_type(field.type))
    operation = (
        f"{kind} {f'({declared})' if given else ''} "
        f"{{ {name}{f'({passed})' if given else ''} {below} }}"
    )
    return " ".join((operation, *shared))


@cache
def _below(schema: GraphQLSchema, type_: Any) -> tuple[str, list[str]]:
    """Select every field below a type; return the selection and the fragments that it uses."""
    fragments: dict[tuple[str, str], str] = {}
    below = selection(schema, type_, (), fragments)
    return below, [f"fragment {each} on {of} {body}" for (of, body), each in fragments.items()]


def selection(
    schema: GraphQLSchema,
    type_: Any,
    above: tuple[str, ...],
    fragments: dict[tuple[str, str], str],
    *,
    apart: bool = False,
) -> str:
    """Select every field of a type; of one that is above itself, every plain one.

    What is selected of a type goes into `fragments`, so that documents stay short enough to be
    cached. `apart`: under names that those of no other type have.
    """
    if is_leaf_type(type_):
        return ""
    if is_abstract_type(type_):
        kinds = schema.get_possible_types(type_)
        parts = (
            f"... on {each} {selection(schema, each, above, fragments, apart=True)}"
            for each in kinds
        )
        inner = " ".join(parts)
        return f"{{__typename {inner}}}"
    fields = [
        (f"{type_.name}_{name}: " if apart else "")
        + f"{name}{REQUIRED.get(f'{type_.name}.{name}', '')}{selection(schema, get_named_type(field.type), (*above, type_.name), fragments)}"
        for name, field in type_.fields.items()
        if is_leaf_type(get_named_type(field.type)) or type_.name not in above
    ]
    body = f"{{__typename {' '.join(fields)}}}"
    if apart or len(body) < SHORT:
        return body
    return f"{{...{fragments.setdefault((type_.name, body), f'F{len(fragments)}')}}}"


def reached(data: Any) -> Iterator[str]:
    """Name the fields, with their types, that have a value somewhere in an answer."""
    if isinstance(data, list):
        for each in data:
            yield from reached(each)
    elif isinstance(data, dict) and "__typename" in data:
        for name, value in data.items():
            if value is not None and name != "__typename":
                yield f"{data['__typename']}.{name.rpartition('_')[2]}"
                yield from reached(value)


def all_fields(schema: GraphQLSchema) -> set[str]:
    """Name every field of every object type but the roots."""
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    return {
        f"{type_.name}.{name}"
        for type_ in schema.type_map.values()
        if isinstance(type_, GraphQLObjectType)
        and not type_.name.startswith("__")
        and type_ not in roots
        for name in type_.fields
    }

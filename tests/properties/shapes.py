"""Whether a response has the shape that its query and the schema give it; JSON of any kind."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    parse,
)
from hypothesis import strategies as st

from resolvers.errors import ErrorCode
from server.http.errors import HTTP_STATUSES

# What a client may be told in a working installation.
CODES = set(ErrorCode) - {
    ErrorCode.INTERNAL_SERVER_ERROR,
    ErrorCode.UNAVAILABLE,
    ErrorCode.READ_ONLY_DATABASE,
    ErrorCode.TIMEOUT,
    ErrorCode.COMMIT_UNCERTAIN,
}
LEAVES: dict[str, Any] = {
    "Int": lambda value: type(value) is int,
    "Float": lambda value: type(value) in (int, float),
    "String": lambda value: isinstance(value, str),
    "ID": lambda value: isinstance(value, str),
    "Boolean": lambda value: isinstance(value, bool),
    "DateTime": lambda value: datetime.fromisoformat(value).utcoffset() is not None,
    "UUID": UUID,
    "JSON": lambda _value: True,
}


texts = st.text(st.characters(codec="utf-8"), max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def check_any(response: httpx.Response) -> None:
    """An answer is JSON: data with or without errors, or a refusal with the status of its code."""
    assert response.headers["content-type"].startswith("application/graphql-response+json")
    body = response.json()
    if response.status_code == 200:
        assert "data" in body
        assert body.keys() <= {"data", "errors", "extensions"}
        check_errors(body.get("errors", ()))
    else:
        assert body.keys() == {"errors"}
        check_errors(body["errors"])
        codes = {ErrorCode(error["extensions"]["code"]) for error in body["errors"]}
        assert response.status_code in {HTTP_STATUSES[code] for code in codes}


def check_errors(errors: Iterable[Any]) -> None:
    """Each error has a message and a documented code that blames nobody but the client."""
    for error in errors:
        assert error["message"]
        assert error["extensions"]["code"] in CODES, error
        assert error.keys() <= {"message", "locations", "path", "extensions"}


def check_data(schema: GraphQLSchema, query: str, body: dict[str, Any]) -> None:
    """The data has what the query (of no named fragments) selects; nulls are allowed or explained."""
    (operation,) = parse(query).definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert schema.query_type is not None
    failed = {tuple(error["path"]) for error in body.get("errors", ())}
    if body["data"] is None:
        assert failed
        return
    _check_object(schema, schema.query_type, [operation.selection_set], body["data"], (), failed)


def _check_object(
    schema: GraphQLSchema,
    type_: GraphQLObjectType,
    selection_sets: list[SelectionSetNode],
    value: Any,
    path: tuple[Any, ...],
    failed: set[tuple[Any, ...]],
) -> None:
    fields: dict[str, list[FieldNode]] = {}
    for selection_set in selection_sets:
        for node in _fields(schema, type_, selection_set):
            fields.setdefault((node.alias or node.name).value, []).append(node)
    assert list(value) == list(fields), (path, list(value), list(fields))
    for key, nodes in fields.items():
        name = nodes[0].name.value
        if name == "__typename":
            assert value[key] == type_.name
            continue
        inner = [node.selection_set for node in nodes if node.selection_set]
        _check(schema, type_.fields[name].type, inner, value[key], (*path, key), failed)


def _check(
    schema: GraphQLSchema,
    type_: Any,
    selection_sets: list[SelectionSetNode],
    value: Any,
    path: tuple[Any, ...],
    failed: set[tuple[Any, ...]],
) -> None:
    if value is None:
        explained = any(each[: len(path)] == path for each in failed)
        assert explained or not isinstance(type_, GraphQLNonNull), path
        return
    if isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    if isinstance(type_, GraphQLList):
        for index, item in enumerate(value):
            _check(schema, type_.of_type, selection_sets, item, (*path, index), failed)
    elif isinstance(type_, GraphQLEnumType):
        assert value in type_.values, path
    elif selection_sets:
        _check_object(schema, _concrete(schema, type_, value), selection_sets, value, path, failed)
    else:
        assert LEAVES[get_named_type(type_).name](value), (path, value)


def _concrete(schema: GraphQLSchema, type_: Any, value: Any) -> GraphQLObjectType:
    """An object's own type; what is only known as a Node must tell it by `__typename`."""
    if isinstance(type_, GraphQLObjectType):
        return type_
    concrete = schema.type_map[value["__typename"]]
    assert isinstance(concrete, GraphQLObjectType)
    return concrete


def _fields(
    schema: GraphQLSchema, type_: GraphQLObjectType, selection_set: SelectionSetNode
) -> Iterator[FieldNode]:
    for selection in selection_set.selections:
        if isinstance(selection, FieldNode):
            yield selection
            continue
        assert isinstance(selection, InlineFragmentNode)
        condition = selection.type_condition
        names = {type_.name, *(interface.name for interface in type_.interfaces)}
        if condition is None or condition.name.value in names:
            yield from _fields(schema, type_, selection.selection_set)

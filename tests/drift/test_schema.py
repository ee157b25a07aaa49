"""The schema: its file is up to date, it breaks no promise, and it explains itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
)
from graphql.utilities import find_breaking_changes, find_schema_changes

from schema.schema import core_schema, sdl
from tests.support.checkout import ROOT

PROMISED = (Path(__file__).parent / "promised.graphql").read_text()


def test_the_file_is_what_the_code_says() -> None:
    assert (ROOT / "schema.graphql").read_text() == sdl(), "run `make schema`"


def test_no_promise_is_broken() -> None:
    changes = find_breaking_changes(build_schema(PROMISED), core_schema)
    assert [change.description for change in changes] == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("isTerminal: Boolean!", ""),
        ("lastErrorCode: String\n", "lastErrorCode: Int\n"),
        ("first: Int, after: String", "first: Int!, after: String"),
        ("DEAD_LETTER }", "}"),
        ("queue: String!", "queue: String"),
    ],
)
def test_a_broken_promise_would_be_seen(before: str, after: str) -> None:
    assert before in PROMISED
    broken = build_schema(PROMISED.replace(before, after))
    assert find_breaking_changes(build_schema(PROMISED), broken)


def test_only_fields_and_descriptions_are_added() -> None:
    """Defaults, scalars' specifications and the like are as promised, too."""
    changes = find_schema_changes(build_schema(PROMISED), core_schema)
    allowed = ("DESCRIPTION", "ADDED", "SAFE")
    assert [c.description for c in changes if not any(w in c.type.name for w in allowed)] == []


def described(schema: GraphQLSchema) -> Iterator[tuple[str, str | None]]:
    for name, type_ in schema.type_map.items():
        if name.startswith("__"):
            continue
        yield name, type_.description
        if isinstance(type_, GraphQLEnumType):
            yield from ((f"{name}.{n}", v.description) for n, v in type_.values.items())
        if isinstance(type_, GraphQLInputObjectType):
            yield from ((f"{name}.{n}", f.description) for n, f in type_.fields.items())
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for field_name, field in type_.fields.items():
                yield f"{name}.{field_name}", field.description
                for argument_name, argument in field.args.items():
                    yield f"{name}.{field_name}({argument_name})", argument.description


def test_everything_is_described() -> None:
    assert [name for name, description in described(core_schema) if not description] == []

"""Whatever is asked, nothing breaks: no 5xx, no masked error, and the answer has its shape."""

from collections.abc import AsyncIterator
from math import isinf
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    NameNode,
    NullValueNode,
    SelectionSetNode,
    Visitor,
    build_schema,
    parse,
    print_ast,
    visit,
)
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from hypothesis_graphql import nodes, queries

from db.queries.keyset import EVENTS_NEWEST_FIRST, EVENTS_OF_JOB, JOB_ORDERS
from resolvers.cursors import encode
from resolvers.errors import ErrorCode
from schema.schema import sdl
from tests.properties.shapes import check_any, check_data, json_values, texts
from tests.support.effort import examples
from tests.support.ledger import events, insert, job
from tests.support.service import Service, serving

SCHEMA = build_schema(sdl())
ROWS = [
    job(0, id=UUID(int=1), status="failed", payload={"a": [1]}, last_error_code="x"),
    job(1, id=UUID(int=2), status="running", attempt=1, requested_by="me"),
    job(2, id=UUID(int=3), status="succeeded", attempt=2, result=[None]),
    job(3, id=UUID(int=4)),
]
EVENTS = [
    *events(ROWS[0], "queued", "running", "failed", detail={"error_code": "x"}),
    *events(ROWS[1], "queued", "running"),
    *events(ROWS[2], "queued", "running", "queued", "running", "succeeded"),
]
MAYBE_TIMES = ("scheduled_at", "started_at", "finished_at")
cursors = [
    encode(order, SimpleNamespace(**(dict.fromkeys(MAYBE_TIMES) | row)))
    for order in (*JOB_ORDERS.values(), EVENTS_NEWEST_FIRST, EVENTS_OF_JOB)
    for row in (EVENTS if order.name.startswith("EVENTS") else ROWS)
]
ids = [str(row["id"]) for row in ROWS] + [f"{row['job_id']}:{row['seq']}" for row in EVENTS]


def json_node(value: Any) -> Any:
    if isinstance(value, list):
        return nodes.List([json_node(item) for item in value])
    if value is None:
        return nodes.Null
    for type_, make in ((bool, nodes.Boolean), (int, nodes.Int), (float, nodes.Float)):
        if isinstance(value, type_):
            return make(value)
    return nodes.String(value)


def is_literal(value: Any) -> bool:
    """Say whether GraphQL can write it down: it has no infinite numbers, and we write no objects."""
    if isinstance(value, list):
        return all(map(is_literal, value))
    return not isinstance(value, dict) and not (isinstance(value, float) and isinf(value))


SCALARS = {
    "Int": st.sampled_from([0, 1, 2, 3, 3, 5, 5, 5, 6, -1, 2**31 - 1]).map(nodes.Int),
    "ID": st.one_of(st.sampled_from(ids), st.sampled_from(ids), st.uuids(), texts).map(
        nodes.String
    ),
    "String": (st.sampled_from(cursors) | texts).map(nodes.String),
    "DateTime": st.one_of(
        st.sampled_from(
            ["2026-01-01T00:00:00Z", "2026-01-01t12:00:00.5+14:00", "2026-01-02T00:00:00-00:00"]
        ),
        st.datetimes().map(lambda time: f"{time.isoformat()}Z"),
        texts,
    ).map(nodes.String),
    "UUID": st.uuids().map(nodes.String),
    "JSON": json_values.filter(is_literal).map(json_node),
}


class Telling(Visitor):
    """Lets every object tell its type."""

    def leave_selection_set(self, node: SelectionSetNode, *_: Any) -> SelectionSetNode:
        typename = FieldNode(name=NameNode(value="__typename"))
        return SelectionSetNode(selections=(typename, *node.selections))


class OneWay(Visitor):
    """Leaves each page only one direction: both at once are refused at the door."""

    def leave_field(self, node: FieldNode, *_: Any) -> FieldNode:
        given = {
            argument.name.value
            for argument in node.arguments or ()
            if not isinstance(argument.value, NullValueNode)
        }
        unwanted = {"last", "before"} if given & {"first", "after"} else set()
        kept: list[ArgumentNode] = [
            argument for argument in node.arguments or () if argument.name.value not in unwanted
        ]
        return FieldNode(
            alias=node.alias,
            name=node.name,
            arguments=tuple(kept),
            directives=node.directives,
            selection_set=node.selection_set,
        )


def document(tree: DocumentNode, one_way: bool) -> str:
    telling = visit(tree, Telling())
    return print_ast(visit(telling, OneWay()) if one_way else telling)


def fits(query: str) -> bool:
    tokens: int = parse(query).token_count  # type: ignore[attr-defined]
    return tokens <= MAX_TOKENS


# Only what is within the limits is answered.
MAX_TOKENS = 1_000
documents = st.builds(
    document, queries(SCHEMA, custom_scalars=SCALARS, print_ast=lambda tree: tree), st.booleans()
).filter(fits)


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[Service]:
    """A Joblens of small pages, so that deep queries stay small.

    With so many tokens, a document is within the other limits.
    """
    await insert(database_url, ROWS, EVENTS)
    pages = {"page_size_default": "3", "page_size_max": "5"}
    limits = dict.fromkeys(("tokens", "root_fields", "aliases", "list_items"), str(MAX_TOKENS))
    limits |= {"depth": "200", "cost": str(10**9)}
    wide = {f"max_{name}": most for name, most in limits.items()}
    async with serving(database_url, **pages, **wide) as running:
        yield running


@examples(120, suppress_health_check=[HealthCheck.too_slow])
@given(query=documents)
async def test_a_valid_query_is_answered_in_its_shape(service: Service, query: str) -> None:
    response = await service.post(query, accept="application/graphql-response+json")
    check_any(response)
    assert service.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    body = response.json()
    if response.status_code == 200:
        check_data(SCHEMA, query, body)
    else:
        # A literal that its scalar refuses is found before anything is run.
        codes = {error["extensions"]["code"] for error in body["errors"]}
        assert codes <= {ErrorCode.GRAPHQL_VALIDATION_FAILED, ErrorCode.BAD_USER_INPUT}

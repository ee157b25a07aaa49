"""Whatever the HTTP request holds, the answer is JSON, and never one of 5xx."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.schema import core_schema
from tests.properties.shapes import check_any, json_values
from tests.support.effort import examples
from tests.support.ledger import events, insert, job
from tests.support.service import Service

ACCEPT = {"accept": "application/graphql-response+json"}
USES = {
    "JobFilter": "jobs(filter: $value) { nodes { id } count { value } }",
    "JobEventFilter": "jobEvents(filter: $value) { nodes { id } count { value } }",
    "JobOrder": "jobs(orderBy: $value) { nodes { id } }",
    "Int": "jobs(first: $value) { nodes { id } } statusCounts(atMost: $value) { status }",
    "String": "jobs(after: $value) { nodes { id } }",
    "ID!": "node(id: $value) { id }",
    "[ID!]!": "nodes(ids: $value) { id }",
    "Float": "jobs(filter: {waitingLongerThan: $value}) { nodes { id } }",
    "JSON": "jobs(filter: {payloadContains: $value}) { nodes { id } }",
    "[JobDimension!]!": "jobGroups(by: $value) { count }",
    "DateTime!": "timeline(from: $value, until: $value, bucket: HOUR) { start }",
}
NAMES = sorted(
    {
        name
        for type_ in ("JobFilter", "JobEventFilter", "StringFilter", "IntFilter", "DateTimeFilter")
        for name in core_schema.type_map[type_].fields  # type: ignore[attr-defined]
    }
)

members = st.fixed_dictionaries(
    {},
    optional={
        "query": st.sampled_from(["{ __typename }", "query A { viewer { orgId } }", "{", ""])
        | json_values,
        "operationName": st.sampled_from(["A", "", None]) | json_values,
        "variables": json_values,
        "extensions": json_values,
    },
)
# Objects that look like filters, with anything where a condition should be.
near_filters = st.recursive(
    json_values,
    lambda inner: (
        st.dictionaries(st.sampled_from(NAMES), inner, max_size=2) | st.lists(inner, max_size=2)
    ),
    max_leaves=4,
)
times = st.datetimes().map(lambda time: f"{time.isoformat()}Z")


@pytest.fixture(scope="module", autouse=True)
async def _ledger(database_url: str) -> None:
    row = job(payload={"a": [1]})
    await insert(database_url, [row], events(row, "queued", detail={"a": 1}))


@examples(120)
@given(body=st.one_of(st.binary(max_size=60), members, json_values))
async def test_any_body_is_answered(service: Service, body: Any) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json", **ACCEPT}
    check_any(await service.client.post("/graphql", content=content, headers=headers))


@examples(40)
@given(
    parameters=st.dictionaries(
        st.sampled_from(["query", "operationName", "variables", "else"]),
        st.sampled_from(["{ __typename }", "{}", "null", "[]", ""]) | st.text(max_size=20),
    )
)
async def test_any_url_is_answered(service: Service, parameters: dict[str, str]) -> None:
    check_any(await service.client.get("/graphql", params=parameters, headers=ACCEPT))


@pytest.mark.parametrize("type_", USES)
@examples(12)
@given(value=st.one_of(near_filters, json_values, times))
async def test_any_variable_is_answered(service: Service, type_: str, value: Any) -> None:
    query = f"query ($value: {type_}) {{ {USES[type_]} }}"
    content = json.dumps({"query": query, "variables": {"value": value}}).encode()
    headers = {"content-type": "application/json", **ACCEPT}
    check_any(await service.client.post("/graphql", content=content, headers=headers))

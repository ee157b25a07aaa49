"""Introspection and suggestions: there together, gone together."""

from collections.abc import AsyncIterator

import pytest
from graphql import get_introspection_query

from tests.schema.limits.entrances import ENTRANCES, Entrance, codes
from tests.support.service import Service, serving

TYPE = '{ __type(name: "Job") { name } }'
FILTERED = "query ($f: JobFilter) { jobs(filter: $f) { __typename } }"


@pytest.fixture(scope="module")
async def closed(database_url: str) -> AsyncIterator[Service]:
    async with serving(database_url, introspection="false") as running:
        yield running


@pytest.mark.parametrize("entrance", ENTRANCES.values(), ids=ENTRANCES)
async def test_it_can_be_switched_off(
    service: Service, closed: Service, entrance: Entrance
) -> None:
    hidden = "{ ...F } fragment F on Query { x: __schema { __typename } }"
    for query in (get_introspection_query(), TYPE, hidden):
        assert codes(await entrance(service, {"query": query})) == []
        assert codes(await entrance(closed, {"query": query})) == ["INTROSPECTION_DISABLED"]
    answer = await entrance(closed, {"query": "{ __typename viewer { __typename } }"})
    assert answer == {"data": {"__typename": "Query", "viewer": {"__typename": "Viewer"}}}


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ job { id } jbos { id } }", {}),
        ("{ jobs(frist: 1) { __typename } }", {}),
        ("{ jobs { nodes { ... on Jbo { id } } } }", {}),
        ("{ jobs(filter: {statos: [FAILED]}) { __typename } }", {}),
        ("{ jobs(filter: {status: [FAILD]}) { __typename } }", {}),
        ("{ viewer @inclde(if: true) { subject } }", {}),
        (FILTERED, {"f": {"statos": ["FAILED"]}}),
        (FILTERED, {"f": {"status": ["FAILD"]}}),
        ("query ($s: JobStatus) { jobs(filter: {status: [$s]}) { __typename } }", {"s": "FAILD"}),
    ],
)
async def test_suggestions_go_with_it(
    service: Service, closed: Service, query: str, variables: dict[str, object]
) -> None:
    helpful = await service.errors(query, variables)
    terse = await closed.errors(query, variables)
    assert codes({"errors": helpful}) == codes({"errors": terse})
    assert not any("Did you mean" in error["message"] for error in terse)


async def test_there_are_suggestions_otherwise(service: Service) -> None:
    (error,) = await service.errors("{ jbos { id } }")
    assert "Did you mean" in error["message"]


async def test_the_standard_query_costs_little(service: Service) -> None:
    response = await service.post(get_introspection_query(input_value_deprecation=True))
    assert response.json()["extensions"]["cost"]["requested"] < 3_000


async def test_it_does_not_go_round_in_circles(service: Service) -> None:
    query = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }"
    assert codes({"errors": await service.errors(query)}) == ["GRAPHQL_VALIDATION_FAILED"]

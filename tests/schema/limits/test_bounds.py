"""Each limit at its bound and one above, by every entrance."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.schema.limits import documents
from tests.schema.limits.entrances import ENTRANCES, Entrance, codes
from tests.support.service import Service, serving

LIMITS = {
    "max_document_characters": "2000",
    "max_tokens": "100",
    "max_operations": "3",
    "max_depth": "6",
    "max_root_fields": "4",
    "max_aliases": "3",
    "max_directives": "2",
    "max_list_items": "4",
    "max_cost": "60",
    "page_size_default": "5",
    "page_size_max": "70",
}
CREATE = "mutation ($input: [CreateJobInput!]!) { createJobs(input: $input) { __typename } }"
FILTERED = "query ($f: JobFilter) { jobs(filter: $f) { __typename } }"
BY_LIMIT: dict[str, tuple[int, Any]] = {
    "documentCharacters": (2_000, documents.long),
    "operations": (3, documents.operations),
    "depth": (6, documents.deep),
    "rootFields": (4, documents.roots),
    "aliases": (3, documents.aliases),
    "directives": (2, documents.directives),
    "listItems": (4, documents.ids),
}


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[Service]:
    async with serving(database_url, **LIMITS) as running:
        yield running


@pytest.mark.parametrize("entrance", ENTRANCES.values(), ids=ENTRANCES)
@pytest.mark.parametrize("limit", BY_LIMIT)
async def test_a_document_is_bounded(service: Service, limit: str, entrance: Entrance) -> None:
    bound, make = BY_LIMIT[limit]
    named = {"operationName": "Q0"} if limit == "operations" else {}
    within = await entrance(service, {"query": make(bound), **named})
    # What is asked for may be nonsense, such as ids that are none; it is only not too much.
    assert set(codes(within)) <= {"BAD_USER_INPUT"}
    (error,) = (await entrance(service, {"query": make(bound + 1), **named}))["errors"]
    told = {"code": "LIMIT_EXCEEDED", "limit": limit, "max": bound, "actual": bound + 1}
    assert error["extensions"] == told
    assert str(bound) in error["message"]
    assert str(bound + 1) in error["message"]


TOO_MANY_TOKENS = [
    documents.words(101),
    "#\n" * 101 + "{ __typename }",
    "{ __typename }" + "#\n" * 98,
    "{" + " __typename #\n" * 50 + "}",
    "{ ...F } fragment F on Query {" + " __typename" * 100 + "}",
    f"query ({'$v: Int ' * 30}) {{ __typename }}",
    f"{{ jobs(filter: {{ids: [{'1 ' * 100}]}}) {{ __typename }} }}",
    # What is wrong beyond the bound, is beyond it.
    "{" + " __typename" * 99 + " ?",
    "{" + " __typename" * 99 + ' "never ended',
    "{" + " __typename" * 99 + ' """never ended',
    "{" + " __typename" * 99 + " 0123",
    "{" + " __typename" * 99 + " ..",
    "{" + " __typename" * 100 + " ?",
    "{" + " __typename" * 100 + " # and a comment\n {",
]


@pytest.mark.parametrize(
    "document", ["{" + " __typename" * 98 + " ?", "{" + " __typename" * 99, "? " * 200]
)
async def test_what_is_wrong_within_the_bound_is_no_graphql(
    service: Service, document: str
) -> None:
    assert codes({"errors": await service.errors(document)}) == ["GRAPHQL_PARSE_FAILED"]


@pytest.mark.parametrize("entrance", ENTRANCES.values(), ids=ENTRANCES)
async def test_tokens_are_bounded(service: Service, entrance: Entrance) -> None:
    within = await entrance(service, {"query": documents.words(100)})
    assert within["data"] == {"__typename": "Query"}
    for beyond in TOO_MANY_TOKENS:
        (error,) = (await entrance(service, {"query": beyond}))["errors"]
        assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "limit": "tokens", "max": 100}
        assert "100" in error["message"]


@pytest.mark.parametrize("entrance", ENTRANCES.values(), ids=ENTRANCES)
async def test_lists_in_variables_are_bounded(service: Service, entrance: Entrance) -> None:
    for wrap in (
        lambda items: {"type": {"in": items}},
        lambda items: {"not": {"or": [{"type": {"in": items}}]}},
        lambda items: {"and": {"queue": {"notIn": items}}},
    ):
        within = {"query": FILTERED, "variables": {"f": wrap(["x"] * 4)}}
        assert codes(await entrance(service, within)) == []
        beyond = {"query": FILTERED, "variables": {"f": wrap(["x"] * 5)}}
        (error,) = (await entrance(service, beyond))["errors"]
        told = {"code": "LIMIT_EXCEEDED", "limit": "listItems", "max": 4, "actual": 5}
        assert error["extensions"] == told
        assert "$f" in error["message"]


async def test_lists_in_json_are_not(service: Service) -> None:
    jobs = [{"type": "x", "payload": [[0] * 50]}]
    assert await service.query(CREATE, {"input": jobs})
    refused = await service.errors(CREATE, {"input": [{"type": "x"}] * 5})
    assert codes({"errors": refused}) == ["LIMIT_EXCEEDED"]


@pytest.mark.parametrize("entrance", ENTRANCES.values(), ids=ENTRANCES)
async def test_the_cost_is_bounded(service: Service, entrance: Entrance) -> None:
    text = "query ($n: Int) { jobs(first: 10) { nodes { events(first: $n) { nodes { id } } } } }"
    within = await entrance(service, {"query": text, "variables": {"n": 5}})
    assert within["extensions"]["cost"]["requested"] == 60
    (error,) = (await entrance(service, {"query": text, "variables": {"n": 6}}))["errors"]
    told = {"code": "COST_EXCEEDED", "limit": "cost", "max": 60, "actual": 70}
    assert error["extensions"] == told
    assert "10 x 6 events + 1 x 10 jobs = 70" in error["message"]


@pytest.mark.parametrize("ignored", [" ", "\n", "\r\n", "\t", ",", "\ufeff"])
async def test_what_means_nothing_at_the_end_does_not_count(service: Service, ignored: str) -> None:
    assert await service.query("{ __typename }" + ignored * 10_000) == {"__typename": "Query"}


async def test_objects_that_cost_nothing_are_bounded(service: Service) -> None:
    """Three for each point: here, a job has three pages of events, and there is one of jobs."""
    pages = " ".join(f"a{n}: events(first: 0) {{ __typename }}" for n in range(3))
    text = f"{{ jobs(first: %d) {{ nodes {{ ...F }} }} }} fragment F on Job {{ {pages} }}"
    assert await service.query(text % 44)
    (error,) = await service.errors(text % 45)
    told = {"code": "LIMIT_EXCEEDED", "limit": "objects", "max": 180, "actual": 181}
    assert error["extensions"] == told


async def test_a_refusal_has_its_status(service: Service) -> None:
    response = await service.post(documents.aliases(4), accept="application/graphql-response+json")
    assert response.status_code == 400
    assert "data" not in response.json()


@pytest.mark.parametrize("entrance", ["SSE", "WebSocket"])
async def test_the_cost_of_an_event_is_bounded(service: Service, entrance: str) -> None:
    text = (
        "subscription ($id: ID!, $n: Int) { job(id: $id) { events(first: $n) { nodes { id } } } }"
    )
    variables = {"id": "00000000-0000-7000-8000-00000000ffff", "n": 59}
    within = await ENTRANCES[entrance](service, {"query": text, "variables": variables})
    # There is no such job: it got as far as being looked for.
    assert codes(within) == ["BAD_USER_INPUT"]
    beyond = {"query": text, "variables": variables | {"n": 60}}
    (error,) = (await ENTRANCES[entrance](service, beyond))["errors"]
    assert error["extensions"]["code"] == "COST_EXCEEDED"
    assert "1 x 60 events + 1 x 1 job = 61" in error["message"]

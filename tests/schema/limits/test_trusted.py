"""Registered documents: by which ids they are had, and what becomes of others."""

import json
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from graphql import get_introspection_query

from tests.schema.limits.documents import aliases
from tests.schema.limits.entrances import ENTRANCES, Entrance, codes
from tests.support.service import Service, serving

VIEWER = "query Who { viewer { subject } }"
COUNTS = "query Counts($n: Int) { statusCounts(atMost: $n) { count { value } } }"
LIVE = "subscription Live { statusCounts { count { value } } }"
LARGE = aliases(60)
UNKNOWN = "{ viewer { orgId } }"
LONG = f"{VIEWER} # {'x' * 200_000}"
RELAY = {"0123": VIEWER, "live": LIVE, "large": LARGE, "long": LONG}
APOLLO = {
    "format": "apollo-persisted-query-manifest",
    "version": 1,
    "operations": [{"id": "counts", "name": "Counts", "type": "query", "body": COUNTS}],
}


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def hashed(text: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": digest(text)}}


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("manifests")
    (directory / "relay.json").write_text(json.dumps(RELAY))
    (directory / "apollo.json").write_text(json.dumps(APOLLO))
    (directory / "README.md").write_text("no manifest")
    return directory


@pytest.fixture(scope="module")
async def only(database_url: str, manifests: Path) -> AsyncIterator[Service]:
    given = {"documents": "only", "documents_dir": str(manifests)}
    async with serving(database_url, **given) as running:
        yield running


@pytest.fixture(scope="module")
async def preferring(database_url: str, manifests: Path) -> AsyncIterator[Service]:
    given = {"documents": "prefer", "documents_dir": str(manifests)}
    async with serving(database_url, **given) as running:
        yield running


@pytest.mark.parametrize("entrance", ENTRANCES.values(), ids=ENTRANCES)
async def test_registered_ones_are_had_by_any_of_their_ids(
    only: Service, entrance: Entrance
) -> None:
    whose = {"data": {"viewer": {"subject": "anonymous"}}}
    for named in (
        {"documentId": "0123"},
        {"documentId": digest(VIEWER)},
        {"documentId": f"sha256:{digest(VIEWER)}"},
        {"extensions": hashed(VIEWER)},
        {"query": VIEWER},
        {"query": "", "documentId": "0123"},
    ):
        assert await entrance(only, named) == whose
    counts = await entrance(only, {"documentId": "counts", "variables": {"n": 1}})
    assert len(counts["data"]["statusCounts"]) == 6
    # Who registered it has seen its size.
    assert len((await entrance(only, {"documentId": "large"}))["data"]) == 60
    assert await entrance(only, {"documentId": "long"}) == whose


@pytest.mark.parametrize("entrance", ENTRANCES.values(), ids=ENTRANCES)
async def test_nothing_else_runs(only: Service, entrance: Entrance) -> None:
    for query in (UNKNOWN, VIEWER + " ", get_introspection_query(), "{", "{ __typename }"):
        assert codes(await entrance(only, {"query": query})) == ["UNTRUSTED_DOCUMENT"]
        # An id does not help a text that was not registered.
        request = {"query": query, "documentId": "0123", "extensions": hashed(VIEWER)}
        assert codes(await entrance(only, request)) == ["UNTRUSTED_DOCUMENT"]
    for named in ({"documentId": "4567"}, {"extensions": hashed(UNKNOWN)}):
        assert codes(await entrance(only, named)) == ["PERSISTED_QUERY_NOT_FOUND"]


@pytest.mark.parametrize("entrance", ["SSE", "WebSocket"])
async def test_subscriptions_have_ids_too(only: Service, entrance: str) -> None:
    body = await ENTRANCES[entrance](only, {"documentId": "live"})
    assert len(body["data"]["statusCounts"]) == 6
    refused = await ENTRANCES[entrance](only, {"query": LIVE.replace("Live", "Other")})
    assert codes(refused) == ["UNTRUSTED_DOCUMENT"]


async def test_there_is_no_graphiql(only: Service) -> None:
    page = await only.client.get("/graphql", headers={"accept": "text/html"})
    assert page.status_code == 404
    assert "registered" in page.text


async def test_a_refusal_has_its_status(only: Service) -> None:
    accept = "application/graphql-response+json"
    assert (await only.post(UNKNOWN, accept=accept)).status_code == 403


async def test_others_are_logged_once_where_registered_ones_are_preferred(
    preferring: Service, caplog: pytest.LogCaptureFixture
) -> None:
    for query in (UNKNOWN, VIEWER, UNKNOWN):
        assert codes((await preferring.post(query)).json()) == []
    body = (await preferring.client.post("/graphql", json={"documentId": "0123"})).json()
    assert body["data"] == {"viewer": {"subject": "anonymous"}}
    (told,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert digest(UNKNOWN) in told.getMessage()


async def test_ids_work_where_anything_runs(database_url: str, manifests: Path) -> None:
    async with serving(database_url, documents_dir=str(manifests)) as service:
        assert codes(await ENTRANCES["POST"](service, {"documentId": "0123"})) == []
        assert codes(await ENTRANCES["POST"](service, {"query": UNKNOWN})) == []
        assert codes(await ENTRANCES["POST"](service, {"query": aliases(61)})) == ["LIMIT_EXCEEDED"]


async def test_their_costs_are_bounded(database_url: str, tmp_path: Path) -> None:
    dear = {"dear": "query ($n: Int) { jobs(first: $n) { nodes { id } } }"}
    (tmp_path / "m.json").write_text(json.dumps(dear))
    given = {"documents": "only", "documents_dir": str(tmp_path), "max_cost": "10"}
    async with serving(database_url, **given) as service:
        request: dict[str, Any] = {"documentId": "dear", "variables": {"n": 10}}
        assert codes(await ENTRANCES["POST"](service, request)) == []
        request["variables"]["n"] = 11
        assert codes(await ENTRANCES["POST"](service, request)) == ["COST_EXCEEDED"]


@pytest.mark.parametrize(
    "request_",
    [
        {"documentId": 1},
        {"documentId": ""},
        {"extensions": []},
        {"extensions": {}},
        {"query": ""},
        {"query": "", "documentId": ""},
        {"query": 0, "documentId": "0123"},
        {"query": [], "documentId": "0123"},
    ],
    ids=str,
)
async def test_what_names_no_document_is_no_request(
    service: Service, request_: dict[str, Any]
) -> None:
    response = await service.client.post("/graphql", json=request_)
    assert (response.status_code, codes(response.json())) == (400, ["BAD_REQUEST"])

"""GraphQL over HTTP: methods, media types, bodies that are none, ids of requests, other paths."""

import gzip
import json
from typing import Any

import asyncpg
import httpx
import pytest

from tests.conftest import FreshDatabase
from tests.support.ledger import insert, job
from tests.support.service import ORG, OTHER_ORG, Service, serving

TYPENAME = {"query": "{ __typename }"}
GRAPHQL_RESPONSE = "application/graphql-response+json; charset=utf-8"
JSON = "application/json; charset=utf-8"
URQL = (
    "application/graphql-response+json, application/graphql+json, application/json, "
    "text/event-stream, multipart/mixed"
)


async def test_post_and_get(service: Service) -> None:
    expected = {"data": {"__typename": "Query"}}
    assert (await service.client.post("/graphql", json=TYPENAME)).json() == expected
    assert (await service.client.get("/graphql", params=TYPENAME)).json() == expected
    variables = {
        "query": "query Q($n: Int) { jobs(first: $n) { nodes { id } } }",
        "variables": '{"n": 0}',
        "operationName": "Q",
    }
    response = await service.client.get("/graphql", params=variables)
    assert response.json() == {"data": {"jobs": {"nodes": []}}}


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, GRAPHQL_RESPONSE),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/graphql-response+json, application/json", GRAPHQL_RESPONSE),
        ("application/json, application/graphql-response+json", JSON),
        ("application/json;q=0.5, application/graphql-response+json;q=0.5", JSON),
        ("*/*, application/graphql-response+json;q=0.1", JSON),
        ("application/json;q=x, application/graphql-response+json;q=0.1", GRAPHQL_RESPONSE),
        (URQL, GRAPHQL_RESPONSE),
        ("application/json", JSON),
        ("application/graphql-response+json, application/json;q=0.9", GRAPHQL_RESPONSE),
        ("application/json, application/graphql-response+json;q=0.5", JSON),
        ("application/json;q=0.5, */*;q=0.1", JSON),
        ("text/html, application/json;q=0.9", JSON),
        ("Application/JSON; Q=1", JSON),
        ("", GRAPHQL_RESPONSE),
        (",", GRAPHQL_RESPONSE),
        # What Java sends by default.
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", JSON),
        ("*/*; q=.2", JSON),
        ("*", JSON),
        ("application/json;q=.2, application/graphql-response+json;q=.3", GRAPHQL_RESPONSE),
        ("application/json;q=1., application/graphql-response+json;q=0.99999", JSON),
        ("application/json;q=00.5, application/graphql-response+json;q=2", GRAPHQL_RESPONSE),
        ("application/json;q=., application/graphql-response+json;q=.001", GRAPHQL_RESPONSE),
        ("application/json;q=-1, application/graphql-response+json;q=.001", GRAPHQL_RESPONSE),
        ("application/json;q=1e1, application/graphql-response+json;q=.001", GRAPHQL_RESPONSE),
    ],
)
async def test_the_media_type_follows_accept(
    service: Service, accept: str | None, expected: str
) -> None:
    request = service.client.build_request("POST", "/graphql", json=TYPENAME)
    del request.headers["accept"]
    if accept is not None:
        request.headers["accept"] = accept
    response = await service.client.send(request)
    assert (response.status_code, response.headers["content-type"]) == (200, expected)


async def test_nothing_acceptable(service: Service) -> None:
    for accept in ("image/png", "text/html", "application/json;q=0", "*;q=.0", "*/*;q=0.000"):
        headers = {"accept": accept}
        response = await service.client.post("/graphql", json=TYPENAME, headers=headers)
        assert response.status_code == 406, accept
        assert code(response) == "NOT_ACCEPTABLE"


async def test_older_clients_get_200_for_refusals(service: Service) -> None:
    headers = {"accept": "application/json"}
    response = await service.client.post("/graphql", json={"query": "{"}, headers=headers)
    assert response.status_code == 200
    assert code(response) == "GRAPHQL_PARSE_FAILED"


def code(response: httpx.Response) -> Any:
    (error,) = response.json()["errors"]
    assert error["message"]
    return error["extensions"]["code"]


BODIES = {
    "nothing": b"",
    "not JSON": b"{",
    "null": b"null",
    "number": b"1",
    "text": b'"x"',
    "list": b"[]",
    "batch": json.dumps([TYPENAME]).encode(),
    "empty object": b"{}",
    "query a number": b'{"query": 1}',
    "query null": b'{"query": null}',
    "operationName a list": b'{"query": "{ __typename }", "operationName": []}',
    "variables a list": b'{"query": "{ __typename }", "variables": [1]}',
    "extensions a list": b'{"query": "{ __typename }", "extensions": [1]}',
    "variables text": b'{"query": "{ __typename }", "variables": "{}"}',
    "invalid UTF-8": b'{"query": "{ __typename }", "x": "\xff"}',
    "lone surrogate in query": b'{"query": "{ __typename } # \\ud800"}',
    "lone surrogate in operationName": b'{"query": "{ __typename }", "operationName": "\\udc00"}',
    "lone surrogate in variables": b'{"query": "{ __typename }", "variables": {"a": "\\ud800"}}',
    "5,000 digits": b'{"query": "{ __typename }", "variables": {"a": ' + b"9" * 5_000 + b"}}",
    "past 64 bits": b'{"query": "{ __typename }", "variables": {"a": 18446744073709551616}}',
    "below 64 bits": b'{"query": "{ __typename }", "variables": {"a": -9223372036854775809}}',
    "NaN": b'{"query": "{ __typename }", "variables": {"a": NaN}}',
    "200,000 deep": b'{"query": "{ __typename }", "variables": {"a": '
    + b"[" * 200_000
    + b"]" * 200_000
    + b"}}",
    "UTF-16": json.dumps(TYPENAME).encode("utf-16"),
}


@pytest.mark.parametrize("name", BODIES)
async def test_bodies_that_are_no_request(service: Service, name: str) -> None:
    headers = {"content-type": "application/json"}
    response = await service.client.post("/graphql", content=BODIES[name], headers=headers)
    assert response.status_code == 400
    assert code(response) == "BAD_REQUEST"


async def test_numbers_of_64_bits_pass(service: Service) -> None:
    query = "query ($j: JSON) { jobs(filter: {payloadContains: $j}) { nodes { id } } }"
    for number in (2**63, -(2**63), 2**64 - 1, 1e300):
        assert (await service.query(query, {"j": {"n": number}}))["jobs"]["nodes"] == []


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin-1",
        "application/graphql",
        "",
    ],
)
async def test_other_media_types_are_refused(service: Service, media_type: str) -> None:
    body = json.dumps(TYPENAME).encode()
    headers = {"content-type": media_type}
    response = await service.client.post("/graphql", content=body, headers=headers)
    assert response.status_code == 415
    assert code(response) == "UNSUPPORTED_MEDIA_TYPE"


async def test_json_in_utf_8_is_taken(service: Service) -> None:
    for media_type in ("application/json;charset=UTF-8", 'Application/JSON; charset="utf-8"'):
        headers = {"content-type": media_type}
        response = await service.client.post(
            "/graphql", content=json.dumps(TYPENAME), headers=headers
        )
        assert response.status_code == 200


async def test_large_bodies_are_refused(service: Service) -> None:
    body = json.dumps({"query": "{ __typename }" + " " * 1_048_576})
    headers = {"content-type": "application/json"}
    response = await service.client.post("/graphql", content=body, headers=headers)
    assert response.status_code == 413
    assert code(response) == "PAYLOAD_TOO_LARGE"


async def test_a_byte_order_mark_is_taken(service: Service) -> None:
    headers = {"content-type": "application/json"}
    mark = b"\xef\xbb\xbf"
    for body, status in ((mark, 200), (mark * 2, 400), (b"\xff\xfe", 400)):
        content = body + json.dumps(TYPENAME).encode()
        response = await service.client.post("/graphql", content=content, headers=headers)
        assert response.status_code == status


async def test_a_slash_behind_the_path(service: Service) -> None:
    expected = {"data": {"__typename": "Query"}}
    for send in (
        service.client.post("/graphql/", json=TYPENAME),
        service.client.get("/graphql/", params=TYPENAME),
    ):
        response = await send
        assert (response.status_code, response.json()) == (200, expected)
    assert (await service.client.put("/graphql/")).status_code == 405
    assert (await service.client.get("/healthz/")).json() == {"status": "ok"}
    assert (await service.client.get("/readyz/")).json() == {"status": "ready"}
    for path in ("/assets", "/nothing/"):
        assert (await service.client.get(path)).status_code == 404


@pytest.mark.parametrize("path", ["/graphql/", "/graphql/?query=%7B__typename%7D"])
async def test_the_page_is_found_behind_a_proxy_too(service: Service, path: str) -> None:
    """By a path alone, which is good behind any scheme, name and prefix."""
    page = await service.client.get(path, headers={"accept": "text/html"})
    assert page.status_code == 308
    assert page.headers["location"] == f"..{path.replace('/graphql/', '/graphql')}"
    asked = httpx.URL("https://jobs.example/joblens").join(f"joblens{path}")
    assert str(asked.join(page.headers["location"])).startswith(
        "https://jobs.example/joblens/graphql"
    )
    followed = await service.client.get(
        path, headers={"accept": "text/html"}, follow_redirects=True
    )
    assert followed.headers["content-type"] == "text/html; charset=utf-8"


async def test_other_methods_are_refused(service: Service) -> None:
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS"):
        response = await service.client.request(method, "/graphql")
        assert response.status_code == 405
        assert {"GET", "POST"} <= set(response.headers["allow"].split(", "))
        assert code(response) == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"query": ""},
        {"query": "{ __typename }", "variables": "[1]"},
        {"query": "{ __typename }", "variables": "{"},
        {"query": "{ __typename }", "extensions": "1"},
    ],
)
async def test_gets_that_are_no_request(service: Service, parameters: dict[str, str]) -> None:
    response = await service.client.get("/graphql", params=parameters)
    assert response.status_code == 400
    assert code(response) == "BAD_REQUEST"


async def test_request_ids(service: Service) -> None:
    own = (await service.client.post("/graphql", json=TYPENAME)).headers["x-request-id"]
    other = (await service.client.get("/healthz")).headers["x-request-id"]
    assert own != other
    named = await service.client.get("/healthz", headers={"X-Request-Id": "abc-123"})
    assert named.headers["x-request-id"] == "abc-123"
    for forged in ("a b", "x" * 129, 'a"}'):
        response = await service.client.get("/healthz", headers={"X-Request-Id": forged})
        assert response.headers["x-request-id"] != forged


async def test_health(service: Service) -> None:
    assert (await service.client.get("/healthz")).json() == {"status": "ok"}
    assert (await service.client.get("/readyz")).json() == {"status": "ready"}


@pytest.mark.parametrize(("revision", "status"), [(None, 503), ("9999", 200)])
async def test_ready_for_a_database_that_is_newer_but_not_for_one_behind(
    fresh_database: FreshDatabase, revision: str | None, status: int
) -> None:
    url = await fresh_database()
    connection = await asyncpg.connect(url)
    await connection.execute("DELETE FROM alembic_version")
    if revision is not None:
        await connection.execute("INSERT INTO alembic_version VALUES ($1)", revision)
    await connection.close()
    async with serving(url) as service:
        response = await service.client.get("/readyz")
    assert response.status_code == status
    assert ("joblens migrate" in response.text) == (status == 503)


async def test_unknown_paths(service: Service) -> None:
    response = await service.client.get("/nothing")
    assert response.status_code == 404
    assert code(response) == "NOT_FOUND"


async def test_the_header_chooses_the_organisation(service: Service, database_url: str) -> None:
    await insert(database_url, [job(1), job(2, org_id=OTHER_ORG)])
    query = "{ viewer { orgId subject roles } jobs { count { value } nodes { createdAt } } }"
    for headers, org, created in (
        ({}, ORG, "2026-01-01T00:01:00Z"),
        ({"Joblens-Org": ORG}, ORG, "2026-01-01T00:01:00Z"),
        ({"Joblens-Org": OTHER_ORG}, OTHER_ORG, "2026-01-01T00:02:00Z"),
    ):
        data = await service.query(query, None, **headers)
        assert data["viewer"] == {"orgId": org, "subject": "anonymous", "roles": ["ADMIN"]}
        assert data["jobs"] == {"count": {"value": 1}, "nodes": [{"createdAt": created}]}


async def test_a_malformed_organisation(service: Service) -> None:
    for org in ("x", "", "1", "00000000-0000-0000-0000-00000000000g"):
        response = await service.post("{ __typename }", None, Joblens_Org=org)
        assert response.status_code == 400
        assert code(response) == "BAD_REQUEST"


async def test_browsers_get_graphiql_and_its_assets(service: Service) -> None:
    browser = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    page = await service.client.get("/graphql", headers=browser)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    script = page.text.partition('src="./assets/')[2].partition('"')[0]
    asset = await service.client.get(f"/assets/{script}")
    assert asset.status_code == 200
    assert "immutable" in asset.headers["cache-control"]
    assert asset.headers["content-encoding"] == "gzip"
    assert (await service.client.get("/assets/nothing.js")).status_code == 404


async def test_compressed_bodies_are_not_taken(service: Service) -> None:
    body = gzip.compress(json.dumps(TYPENAME).encode())
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    response = await service.client.post("/graphql", content=body, headers=headers)
    assert response.status_code == 415
    assert code(response) == "UNSUPPORTED_MEDIA_TYPE"
    assert response.headers["accept-encoding"] == "identity"
    plain = headers | {"content-encoding": "identity"}
    response = await service.client.post("/graphql", json=TYPENAME, headers=plain)
    assert response.status_code == 200

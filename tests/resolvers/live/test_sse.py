"""GraphQL over Server-Sent Events: who gets them, what they say, and how they end."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.resolvers.live.clients import COUNTS, EVENTS, stream
from tests.resolvers.live.rest import back_to_rest, table_locked, until_someone_waits
from tests.support.patience import PATIENCE_SECONDS
from tests.support.service import ORG, OTHER_ORG, Api, Service, serving
from tests.support.wire import wire

# What urql and Apollo send.
ALL = (
    "application/graphql-response+json, application/graphql+json, application/json, "
    "text/event-stream, multipart/mixed"
)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing that a client does is worth a warning."""
    yield
    assert [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_subscription(service: Service, method: str) -> None:
    async with stream(service, COUNTS, method) as events:
        assert events.response.status_code == 200
        headers = events.response.headers
        assert headers["content-type"] == "text/event-stream; charset=utf-8"
        assert headers["cache-control"] == "no-cache, no-transform"
        assert headers["x-accel-buffering"] == "no"
        assert headers["x-request-id"]
        name, data = await events.event()
        assert name == "next"
        assert isinstance(data["data"]["statusCounts"], list)


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_query_has_one_result(service: Service, method: str) -> None:
    async with stream(service, "{ __typename }", method) as events:
        assert await events.event() == ("next", {"data": {"__typename": "Query"}})
        assert await events.event() == ("complete", None)
        assert await events.ended()


@pytest.mark.parametrize("query", ["{ __typename }", COUNTS])
async def test_http_1_0_has_no_chunks(service: Service, query: str) -> None:
    """The end of the connection tells the end of the stream."""
    url = service.client.base_url
    body = json.dumps({"query": query})
    head = [
        "POST /graphql HTTP/1.0",
        "Accept: text/event-stream",
        "Content-Type: application/json",
        "Connection: keep-alive",
        f"Content-Length: {len(body)}",
    ]
    async with wire(url.host, url.port or 0) as line:
        await line.send("\r\n".join([*head, "", body]).encode())
        answer = await line.answer()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert "transfer-encoding" not in answer.headers
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await line.reader.readuntil(b"\n\n") == b":\n\n"
            assert (await line.reader.readuntil(b"\n\n")).startswith(
                b'event: next\ndata: {"data":{'
            )
            if query != COUNTS:
                assert await line.reader.read() == b"event: complete\ndata:\n\n"


async def test_a_mutation_has_one_result(service: Service) -> None:
    async with stream(service, "mutation { __typename }") as events:
        assert await events.event() == ("next", {"data": {"__typename": "Mutation"}})
        assert await events.event() == ("complete", None)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ('subscription { jobEvents(after: "garbled") { __typename } }', "INVALID_CURSOR"),
        ('{ jobs(after: "garbled") { nodes { id } } }', "INVALID_CURSOR"),
    ],
)
async def test_errors_are_a_result(service: Service, query: str, code: str) -> None:
    async with stream(service, query) as events:
        assert events.response.status_code == 200
        name, data = await events.event()
        assert name == "next"
        assert data["errors"][0]["extensions"]["code"] == code
        assert await events.event() == ("complete", None)


async def post(service: Service, accept: str | None, query: str) -> Any:
    request = service.client.build_request("POST", "/graphql", json={"query": query})
    del request.headers["accept"]
    if accept is not None:
        request.headers["accept"] = accept
    return await service.client.send(request, stream=True)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (ALL, "application/graphql-response+json"),
        ("application/json, text/event-stream", "application/json"),
        ("*/*", "application/json"),
        (None, "application/graphql-response+json"),
        ("text/event-stream", "text/event-stream"),
        ("text/*", "text/event-stream"),
        ("text/event-stream, application/json;q=0.5", "text/event-stream"),
    ],
)
async def test_the_form_of_queries(service: Service, accept: str | None, expected: str) -> None:
    response = await post(service, accept, "{ __typename }")
    assert response.headers["content-type"] == f"{expected}; charset=utf-8"
    await response.aclose()


@pytest.mark.parametrize("accept", [ALL, "*/*", None, "text/*;q=0.1, application/json"])
async def test_subscriptions_of_whom_accepts_events_at_all(
    service: Service, accept: str | None
) -> None:
    response = await post(service, accept, COUNTS)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    await response.aclose()


async def test_subscriptions_of_whom_accepts_no_events(service: Service) -> None:
    for accept in ("application/json", "application/graphql-response+json", "application/*"):
        response = await post(service, accept, COUNTS)
        assert response.status_code == 406
        await response.aread()
        (error,) = response.json()["errors"]
        assert error["extensions"]["code"] == "NOT_ACCEPTABLE"
        assert "text/event-stream" in error["message"]


async def test_what_is_no_request_gets_its_status(service: Service) -> None:
    headers = {"accept": "text/event-stream", "content-type": "application/json"}
    for content, status in ((b"{", 400), (b"[]", 400), (b" " * 1_048_577, 413)):
        response = await service.client.post("/graphql", content=content, headers=headers)
        assert response.status_code == status
        assert response.headers["content-type"].startswith("application/graphql-response+json")
    async with stream(service, COUNTS, Joblens_Org="x") as events:
        assert events.response.status_code == 400


async def test_methods(service: Service) -> None:
    async with stream(service, "mutation { __typename }", "GET") as events:
        assert events.response.status_code == 405
        assert events.response.headers["allow"] == "POST"
    async with stream(service, COUNTS, "HEAD") as events:
        assert events.response.status_code == 405


async def test_the_organisation(service: Service) -> None:
    query = "{ viewer { orgId } }"
    async with stream(service, query) as events:
        assert (await events.event())[1] == {"data": {"viewer": {"orgId": ORG}}}
    async with stream(service, query, Joblens_Org=OTHER_ORG) as events:
        assert (await events.event())[1] == {"data": {"viewer": {"orgId": OTHER_ORG}}}


async def test_silence_is_broken_by_comments(database_url: str) -> None:
    async with (
        serving(database_url, sse_ping_seconds="0.05") as service,
        stream(service, EVENTS) as events,
    ):
        assert [await events.line() for _ in range(8)] == [":", ""] * 4


async def test_a_client_that_is_gone(service: Service, database_url: str) -> None:
    async with back_to_rest(service, database_url), AsyncExitStack() as clients:
        for query in (COUNTS, EVENTS) * 5:
            events = await clients.enter_async_context(stream(service, query))
            assert await events.line() == ":"


async def test_a_client_that_leaves_a_query_behind(service: Service, database_url: str) -> None:
    async with (
        back_to_rest(service, database_url),
        table_locked(database_url),
        stream(service, "{ jobs { nodes { id } } }"),
    ):
        await until_someone_waits(database_url)


async def test_the_end_of_the_process(database_url: str) -> None:
    async with AsyncExitStack() as outside:
        async with serving(database_url) as service:
            # Its own client, for the service's is closed first.
            client = await outside.enter_async_context(
                type(service.client)(base_url=service.client.base_url, timeout=PATIENCE_SECONDS)
            )
            other = Api(client)
            counts = await outside.enter_async_context(stream(other, COUNTS))
            quiet = await outside.enter_async_context(stream(other, EVENTS))
            assert (await counts.event())[0] == "next"
            assert await quiet.line() == ":"
        for events in (counts, quiet):
            assert await events.event() == ("complete", None)
            assert await events.ended()

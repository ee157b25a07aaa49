"""Limits that were met, in the audit log: each once, with who met it, by every way to meet it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import FreshDatabase
from tests.resolvers.live.clients import COUNTS, socket, stream
from tests.resolvers.live.rest import table_locked
from tests.schema.limits.documents import aliases
from tests.server.audit.lines import Lines, listening
from tests.server.load.clients import HTTP, JOBS, NOTHING, WAYS, Ask, post
from tests.support.service import ORG, Service, serving
from tests.support.wire import post as raw_post
from tests.support.wire import wire

DEAR = "{ jobs(first: 200) { nodes { events(first: 200) { nodes { id } } } } }"
SCHEMA = "{ __schema { types { name } } }"
TRANSPORTS = {"POST": "http", "GET": "http", "SSE": "sse", "WebSocket": "websocket"}


async def told(ask: Ask, service: Service, query: str, lines: Lines) -> dict[str, Any]:
    """Ask for what is refused with one code; get its one line."""
    codes = (await ask(service, query)).codes
    line = lines.one()
    assert (line["event"], [line["code"]]) == ("refused", codes)
    assert (line["organisation"], line["subject"]) == (ORG, "anonymous")
    assert (line["client"], line["transport"] in TRANSPORTS.values()) == ("127.0.0.1", True)
    assert line["request_id"]
    return line


@pytest.mark.parametrize("ask", WAYS)
async def test_documents(database_url: str, lines: Lines, ask: Ask) -> None:
    async with serving(database_url, introspection="false") as service:
        assert (await told(ask, service, aliases(61), lines))["code"] == "LIMIT_EXCEEDED"
        assert (await told(ask, service, DEAR, lines))["code"] == "COST_EXCEEDED"
        assert (await told(ask, service, SCHEMA, lines))["code"] == "INTROSPECTION_DISABLED"


@pytest.mark.parametrize("ask", WAYS)
async def test_answers(database_url: str, lines: Lines, ask: Ask) -> None:
    async with serving(database_url, max_response_bytes="1024") as service:
        names = " ".join(f"{'n' * 100}{n}: __typename" for n in range(10))
        assert (await told(ask, service, f"{{ {names} }}", lines))["code"] == "RESPONSE_TOO_LARGE"


@pytest.mark.parametrize("ask", WAYS)
async def test_unregistered_documents(
    database_url: str, lines: Lines, ask: Ask, tmp_path: Path
) -> None:
    (tmp_path / "m.json").write_text("{}")
    given = {"documents": "only", "documents_dir": str(tmp_path)}
    async with serving(database_url, **given) as service:
        assert (await told(ask, service, NOTHING, lines))["code"] == "UNTRUSTED_DOCUMENT"
        await service.client.post("/graphql", json={"documentId": "guessed"})
        assert lines.one()["code"] == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize("ask", WAYS)
async def test_points(database_url: str, lines: Lines, ask: Ask) -> None:
    async with serving(database_url, rate_points_per_minute="1") as service:
        await ask(service, NOTHING)
        line = await told(ask, service, NOTHING, lines)
    assert (line["code"], line["operation"]) == ("RATE_LIMITED", "query")


@pytest.mark.parametrize("ask", WAYS)
async def test_time(database_url: str, lines: Lines, ask: Ask) -> None:
    async with (
        serving(database_url, request_timeout_seconds="0.3") as service,
        table_locked(database_url),
    ):
        assert (await told(ask, service, JOBS, lines))["code"] == "TIMEOUT"


@pytest.mark.parametrize("ask", HTTP)
async def test_requests_at_once(database_url: str, lines: Lines, ask: Ask) -> None:
    async with serving(database_url, max_requests_per_viewer="1") as service:
        place = service.state.admission.requests
        async with table_locked(database_url):
            first = asyncio.create_task(post(service, JOBS))
            while not len(place):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
            assert (await told(ask, service, NOTHING, lines))["code"] == "TOO_MANY_REQUESTS"
        assert (await first).codes == []


async def test_connections_and_subscriptions(database_url: str, lines: Lines) -> None:
    bounds = {"max_connections_per_viewer": "1", "websocket_max_operations": "2"}
    async with (
        serving(database_url, live_max_subscriptions_per_viewer="1", **bounds) as service,
        socket(service) as client,
    ):
        await client.init()
        await client.subscribe("1", COUNTS)
        assert (await client.receive())["type"] == "next"
        assert await client.refused("2", COUNTS) == ["TOO_MANY_SUBSCRIPTIONS"]
        line = lines.one()
        assert (line["code"], line["operation"]) == ("TOO_MANY_SUBSCRIPTIONS", "subscription")
        async with table_locked(database_url):
            await client.subscribe("3", JOBS)
            assert await client.refused("4", NOTHING) == ["TOO_MANY_OPERATIONS"]
            assert lines.one()["code"] == "TOO_MANY_OPERATIONS"
        async with stream(service, COUNTS) as events:
            assert events.response.status_code == 429
        assert lines.one()["code"] == "TOO_MANY_CONNECTIONS"
        async with socket(service) as another:
            await another.send({"type": "connection_init"})
            assert (await another.closed())[0] == 1013
        line = lines.one()
        assert (line["code"], line["transport"]) == ("TOO_MANY_CONNECTIONS", "websocket")


async def test_origins_and_hosts(service: Service, database_url: str, lines: Lines) -> None:
    foreign = "https://elsewhere.example"
    await service.client.post("/graphql", json={"query": NOTHING}, headers={"origin": foreign})
    line = lines.one()
    assert (line["code"], line["transport"]) == ("ORIGIN_NOT_ALLOWED", "http")
    with pytest.raises(Exception, match="403"):
        async with socket(service, origin=foreign):
            pass
    line = lines.one()
    assert (line["code"], line["transport"]) == ("ORIGIN_NOT_ALLOWED", "websocket")
    async with serving(database_url) as open_:
        for path in ("/graphql", "/healthz"):
            await open_.client.get(path, headers={"host": "elsewhere.example"})
            assert lines.one()["code"] == "HOST_NOT_ALLOWED"


async def test_sizes(database_url: str, lines: Lines) -> None:
    async with serving(database_url, max_body_bytes="1024") as service:
        await service.post("#" * 2_000)
        line = lines.one()
        assert (line["code"], line["subject"]) == ("PAYLOAD_TOO_LARGE", "anonymous")
        async with socket(service) as client:
            await client.init()
            await client.send("x" * 2_000)
            assert (await client.closed())[0] == 1009
            line = await lines.next()
        assert (line["code"], line["transport"]) == ("PAYLOAD_TOO_LARGE", "websocket")
        assert line["subject"] == "anonymous"
        response = await service.client.get("/graphql", headers={"x": "y" * 100_000})
        assert response.status_code == 431
        line = lines.one()
        assert line == {
            "event": "refused",
            "code": "HEADERS_TOO_LARGE",
            "transport": "http",
            "client": "127.0.0.1",
            "request_id": response.headers["x-request-id"],
        }
        with pytest.raises(Exception, match="431"):
            async with socket(service, X="y" * 20_000):
                pass
        line = lines.one()
        assert (line["code"], line["transport"]) == ("HEADERS_TOO_LARGE", "websocket")


async def test_slow_requests(database_url: str, lines: Lines) -> None:
    hurry = {"head_timeout_seconds": "0.2", "body_timeout_seconds": "0.2"}
    async with serving(database_url, websocket_init_timeout_seconds="0.2", **hurry) as service:
        url = service.client.base_url
        for begun in (b"POST /graphql HTTP/1.1\r\n", raw_post(b"")[:-4] + b"0\r\n\r\n"):
            async with wire(url.host, url.port or 0) as client:
                await client.send(begun.replace(b"Content-Length: 00", b"Content-Length: 9"))
                assert (await client.answer()).code() == "REQUEST_TIMEOUT"
            assert lines.one()["code"] == "REQUEST_TIMEOUT"
        async with socket(service) as silent:
            assert (await silent.closed())[0] == 4408
        line = lines.one()
        assert (line["code"], line["transport"]) == ("REQUEST_TIMEOUT", "websocket")


async def test_what_is_wrong_but_no_limit_is_not_told(
    fresh_database: FreshDatabase, lines: Lines
) -> None:
    async with serving(await fresh_database()) as service:
        for body in (b"1", b"{", json.dumps({"query": "{ nothing }"}).encode()):
            await service.client.post("/graphql", content=body)
        await service.client.post("/graphql", json={"documentId": "x"})
        await service.client.get("/nothing")
        async with socket(service) as client:
            await client.send("[]")
            assert (await client.closed())[0] == 4400
    assert lines.take() == []


async def test_a_flood_is_counted(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.logging.throttle.WINDOW_SECONDS", 3_600.0)
    with listening() as lines:
        async with serving(database_url, auth="token") as service:
            for _ in range(50):
                await service.post("{ __typename }")
            assert len(lines.lines) == 1
            # Another kind from there, and another's, are told all the same.
            await service.client.get("/graphql", headers={"x": "y" * 100_000})
            assert len(lines.lines) == 2
    # Before the process ends, it tells of what it has left out.
    assert lines.take()[2:] == [
        {
            "event": "refusals left out",
            "code": "UNAUTHENTICATED",
            "client": "127.0.0.1",
            "left_out": 49,
        }
    ]

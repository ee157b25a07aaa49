"""Every way to ask, so that a bound is shown on each; and clients that hang up."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.resolvers.live.clients import socket, stream
from tests.support.service import ORG, Service

JOBS = "{ jobs { nodes { id } } }"
NOTHING = "{ __typename }"


@dataclass
class Answer:
    """What came back: of HTTP its status and headers too."""

    body: dict[str, Any]
    status: int | None = None
    headers: httpx.Headers | None = None

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.body.get("errors", [])]


async def post(service: Service, query: str, org: str = ORG) -> Answer:
    response = await service.post(query, Joblens_Org=org)
    return Answer(response.json(), response.status_code, response.headers)


async def get(service: Service, query: str, org: str = ORG) -> Answer:
    headers = {"joblens-org": org}
    response = await service.client.get("/graphql", params={"query": query}, headers=headers)
    return Answer(response.json(), response.status_code, response.headers)


async def by_events(service: Service, query: str, org: str = ORG) -> Answer:
    async with stream(service, query, Joblens_Org=org) as events:
        response = events.response
        if response.status_code == 200:
            _, body = await events.event()
            assert await events.event() == ("complete", None)
        else:
            body = json.loads(await response.aread())
        return Answer(body, response.status_code, response.headers)


async def by_socket(service: Service, query: str, org: str = ORG) -> Answer:
    async with socket(service, Joblens_Org=org) as client:
        await client.init()
        await client.subscribe("1", query)
        message = await client.receive()
        if message["type"] == "error":
            return Answer({"errors": message["payload"]})
        assert await client.receive() == {"id": "1", "type": "complete"}
        return Answer(message["payload"])


Ask = Callable[..., Awaitable[Answer]]
HTTP: list[Any] = [pytest.param(post, id="POST"), pytest.param(get, id="GET")]
WRITES: list[Any] = [
    pytest.param(post, id="POST"),
    pytest.param(by_events, id="SSE"),
    pytest.param(by_socket, id="WebSocket"),
]
WAYS: list[Any] = [*WRITES, pytest.param(get, id="GET")]


@asynccontextmanager
async def asked(service: Service, query: str, method: str = "POST") -> AsyncIterator[None]:
    """Ask over a connection of its own, and hang up in the end without reading the answer."""
    url = service.client.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    request = httpx.Request(method, url.join("/graphql"), json={"query": query})
    if method == "GET":
        request = httpx.Request(method, url.join("/graphql"), params={"query": query})
    head = [f"{method} {request.url.raw_path.decode()} HTTP/1.1"]
    head += [f"{name}: {value}" for name, value in request.headers.items()]
    writer.write("\r\n".join([*head, "", ""]).encode() + request.read())
    yield
    writer.transport.abort()
    # The other end hears of it by then.
    await reader.read()

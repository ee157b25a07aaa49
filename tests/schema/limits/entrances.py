"""One operation by every entrance: its answer's body, however it came."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from tests.resolvers.live.clients import Stream, socket
from tests.support.service import Service

Entrance = Callable[[Service, dict[str, Any]], Awaitable[Any]]


async def by_post(service: Service, request: dict[str, Any]) -> Any:
    return (await service.client.post("/graphql", json=request)).json()


async def by_get(service: Service, request: dict[str, Any]) -> Any:
    parameters = {k: v if isinstance(v, str) else json.dumps(v) for k, v in request.items()}
    return (await service.client.get("/graphql", params=parameters)).json()


async def by_sse(service: Service, request: dict[str, Any]) -> Any:
    accept = {"accept": "text/event-stream"}
    async with service.client.stream("POST", "/graphql", json=request, headers=accept) as response:
        name, body = await Stream(response).event()
    assert name == "next"
    return body


async def by_websocket(service: Service, request: dict[str, Any]) -> Any:
    async with socket(service) as client:
        await client.init()
        await client.send({"id": "1", "type": "subscribe", "payload": request})
        answer = await client.receive()
    if answer["type"] == "error":
        return {"errors": answer["payload"]}
    assert answer["type"] == "next"
    return answer["payload"]


ENTRANCES: dict[str, Entrance] = {
    "POST": by_post,
    "GET": by_get,
    "SSE": by_sse,
    "WebSocket": by_websocket,
}


def codes(body: Any) -> list[str]:
    """Get the codes of a body's errors."""
    return [error["extensions"]["code"] for error in body.get("errors", [])]

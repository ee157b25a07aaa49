"""Every entrance of a server, asked the same: what each tells, and all that it lets out."""

import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.resolvers.live.clients import Stream, socket
from tests.support.checkout import ROOT
from tests.support.service import Service

GRAPHQL = "application/graphql-response+json"
EVENTS = "text/event-stream"
HTML = "text/html,application/xhtml+xml,*/*;q=0.8"
# What is no client's business: SQL, paths, tracebacks, names of our parts.
INTERNAL = re.compile(
    r"Traceback|File \"|\.py\b|/site-packages|\bSELECT\b|\bINSERT\b|\bjob_event\b|asyncpg|sqlalchemy"
    r"|starlette|strawberry|/home/|postgres(ql)?://"
    f"|{re.escape(str(ROOT))}/",
)


@dataclass(frozen=True)
class Asked:
    """What is sent: the same document to all, or another to those that subscribe."""

    query: str = "{ jobs { nodes { id } } }"
    subscription: str = "subscription { statusCounts { status } }"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """How an entrance answers: by which part of its protocol, with what status or close code."""

    how: str
    number: int | None = None
    code: str | None = None


Entrance = Callable[[Service, Asked], Awaitable[tuple[Told, str]]]


def _http(method: str, path: str, accept: str) -> Entrance:
    async def ask(service: Service, asked: Asked) -> tuple[Told, str]:
        headers = {"accept": accept, **asked.headers}
        request = {"query": asked.query}
        if method == "POST":
            response = await service.client.post(path, json=request, headers=headers)
        else:
            parameters = request if accept != HTML else None
            response = await service.client.get(path, params=parameters, headers=headers)
        text = f"{response.headers} {response.text}"
        if response.status_code == 401:
            assert response.headers["www-authenticate"].startswith("Bearer")
        if response.status_code == 429:
            assert int(response.headers["retry-after"]) >= 1
        if response.headers.get("content-type", "").startswith(EVENTS):
            return await _first_event(response), text
        return Told("answer", response.status_code, _code(response)), text

    return ask


async def _first_event(response: httpx.Response) -> Told:
    name, body = await Stream(response).event()
    assert name == "next"
    return Told("event", 200, _code_of(body.get("errors")))


def _code(response: httpx.Response) -> str | None:
    if not response.headers.get("content-type", "").startswith(("application/json", GRAPHQL)):
        return None
    return _code_of(response.json().get("errors"))


def _code_of(errors: Any) -> str | None:
    if not errors:
        return None
    (code,) = {error["extensions"]["code"] for error in errors}
    return str(code)


def _websocket(kind: str) -> Entrance:
    async def ask(service: Service, asked: Asked) -> tuple[Told, str]:
        named = {name.replace("-", "_"): value for name, value in asked.headers.items()}
        try:
            async with socket(service, **named) as client:
                await client.send({"type": "connection_init"})
                assert await client.receive() == {"type": "connection_ack"}
                text = asked.query if kind == "query" else asked.subscription
                await client.subscribe("1", text)
                message = await client.receive()
        except InvalidStatus as refusal:
            body = refusal.response.body or b""
            code = _code_of(json.loads(body)["errors"])
            return Told("handshake", refusal.response.status_code, code), repr(refusal.response)
        except ConnectionClosed as closed:
            if closed.rcvd is None:
                raise
            return Told("close", closed.rcvd.code), closed.rcvd.reason
        if message["type"] == "error":
            return Told("error", None, _code_of(message["payload"])), json.dumps(message)
        return Told("event", 200, _code_of(message["payload"].get("errors"))), json.dumps(message)

    return ask


POSTS = ("POST", "SSE POST")
GETS = ("GET", "SSE GET")
PLAIN = ("POST", "GET")
STREAMED = ("SSE POST", "SSE GET")
SOCKETS = ("WebSocket query", "WebSocket subscribe")
PAGES = ("/", "/jobs", "GraphiQL", "/assets", "/assets/dashboard", "/healthz", "/readyz")
ENTRANCES: dict[str, Entrance] = {
    "POST": _http("POST", "/graphql", GRAPHQL),
    "GET": _http("GET", "/graphql", GRAPHQL),
    "SSE POST": _http("POST", "/graphql", EVENTS),
    "SSE GET": _http("GET", "/graphql", EVENTS),
    "WebSocket query": _websocket("query"),
    "WebSocket subscribe": _websocket("subscribe"),
    "/": _http("GET", "/", HTML),
    "/jobs": _http("GET", "/jobs", HTML),
    "GraphiQL": _http("GET", "/graphql", HTML),
    "/assets": _http("GET", "/assets/nothing.js", HTML),
    "/assets/dashboard": _http("GET", "/assets/dashboard/nothing.js", HTML),
    "/healthz": _http("GET", "/healthz", HTML),
    "/readyz": _http("GET", "/readyz", HTML),
}


class Log(logging.Handler):
    """All that is logged in this process, as text."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.defects: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        line = f"{record.msg} {record.args} {record.exc_info}"
        self.lines.append(line)
        if record.levelno >= logging.ERROR or record.exc_info:
            self.defects.append(line)


@contextmanager
def logged() -> Iterator[Log]:
    """Collect what is logged meanwhile; nothing of it may be a defect."""
    log = Log()
    root = logging.getLogger()
    root.addHandler(log)
    try:
        yield log
    finally:
        root.removeHandler(log)
    assert log.defects == []

"""The process as those who run it see it: what it logs of hostile words, and how it ends."""

import asyncio
import json
import re
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.resolvers.live.clients import COUNTS, socket, stream
from tests.resolvers.live.rest import table_locked, until_someone_waits
from tests.security.processes import DEFECTS, running
from tests.server.auth.minting import mint
from tests.support.ledger import events, insert, job
from tests.support.wire import wire

JOBS = "{ jobs { nodes { id } } }"
# What makes a terminal, or a reader of lines, believe what was never logged.
CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]")
FORGED = "forged line"
_KINDS = "request|websocket|refused"
ENDS = re.compile(rf'\] (?:{_KINDS}) +\[joblens\.http\]|"event":"(?:{_KINDS})"')


def hostile(token: str) -> list[bytes]:
    """Requests whose every part that could reach the log holds what must not stand there."""
    bad = b"%0A%0D%1B[2J" + FORGED.replace(" ", "%20").encode() + b"%C2%9B%E2%80%A8%00"
    name = json.dumps({"query": "query A { __typename }", "operationName": f"\n\x1b[2J{FORGED}"})
    unregistered = json.dumps(
        {"query": "query A { viewer { subject } }", "operationName": f"A\r\n\x1b{FORGED}"}
    )
    common = f"Host: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n".encode()
    ids = [b"X-Request-Id: \x1b[2Jforged line", b"X-Request-Id: a\tb", b"X-Request-Id: \x80\xff"]
    upgrade = (
        b"Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    )
    requests = [
        b"GET /" + bad + b" HTTP/1.1\r\n" + common + b"\r\n",
        b"GET /" + bad + b" HTTP/1.1\r\n" + upgrade + b"\r\n",
        b"GET /%1B[2J" + FORGED[:6].encode() + b" HTTP/1.1\r\n" + common + b"\r\n",
        b"GET /graphql?token=" + token.encode() + b" HTTP/1.1\r\n" + upgrade + b"\r\n",
        b"GET /graphql?query="
        + bad
        + b" HTTP/1.1\r\nUser-Agent: \x1b]0;x\x07\r\n"
        + common
        + b"\r\n",
    ]
    requests += [b"GET /healthz HTTP/1.1\r\n" + common + each + b"\r\n\r\n" for each in ids]
    for body in (name, unregistered):
        head = f"POST /graphql HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        requests.append(head.encode() + common + b"\r\n" + body.encode())
    return requests


@pytest.mark.parametrize("log_format", ["text", "json"])
async def test_hostile_words_in_the_log(database_url: str, tmp_path: Path, log_format: str) -> None:
    minted = await mint(database_url)
    (tmp_path / "manifest.json").write_text(json.dumps({"1": "{ __typename }"}))
    given = {"log_format": log_format, "documents": "prefer", "documents_dir": str(tmp_path)}
    async with running(database_url, tmp_path / "log", **given) as server:
        requests = hostile(minted.text)
        for request in requests:
            async with wire("127.0.0.1", server.port) as line:
                await line.send(request)
                assert (await line.answer()).status < 500
        told = await server.stop()
    assert server.process.returncode == 0
    assert not DEFECTS.search(told)
    assert not CONTROL.search(told)
    assert minted.text.encode() not in told
    lines = told.decode().splitlines()
    # Every request has its line, in which hostile words are written out.
    assert sum(bool(ENDS.search(each)) for each in lines) == len(requests)
    assert any(FORGED in each for each in lines)
    assert not any(each.startswith(FORGED) for each in lines)
    if log_format == "json":
        assert all(json.loads(each)["level"] for each in lines if each.startswith("{"))


async def test_the_end_while_everything_runs(database_url: str, tmp_path: Path) -> None:
    row = job()
    await insert(database_url, [row], events(row, "queued"))
    minted = await mint(database_url)
    headers = {"authorization": minted.bearer}
    async with running(database_url, tmp_path / "log") as server, AsyncExitStack() as stack:
        service = server.service
        sockets, streams, asking = [], [], []
        for _ in range(5):
            client = await stack.enter_async_context(socket(service))
            await client.init({"token": minted.text})
            await client.subscribe("live", COUNTS)
            assert (await client.receive())["type"] == "next"
            sockets.append(client)
            watch = stream(service, COUNTS, Authorization=minted.bearer)
            streams.append(await stack.enter_async_context(watch))
            assert (await streams[-1].event())[0] == "next"
        # Some say nothing at all, or stop in the middle of a request.
        await stack.enter_async_context(socket(service))
        half = await stack.enter_async_context(wire("127.0.0.1", server.port))
        await half.send(b"POST /graphql HTTP/1.1\r\nHost: localhost\r\n")
        async with table_locked(database_url):
            for accept in ("application/json", "text/event-stream"):
                post = service.client.post(
                    "/graphql", json={"query": JOBS}, headers=headers | {"accept": accept}
                )
                asking.append(asyncio.create_task(post))
            await sockets[0].subscribe("query", JOBS)
            await until_someone_waits(database_url, 3)
            server.process.send_signal(signal.SIGTERM)
            for watched in streams:
                assert await watched.event() == ("complete", None)
        answers: list[Any] = [await each for each in asking]
        assert all(str(row["id"]) in each.text for each in answers)
        told = await server.stop()
        assert not DEFECTS.search(told), told
        assert server.process.returncode == 0

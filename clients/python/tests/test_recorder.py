"""The recorder itself: what it keeps, drops, splits, and never does to a job."""

import asyncio
import json
import os
import socket
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from clients.python.tests.support import Ledger, until
from tests.support.service import Service

from joblens_client import Fact, Recorder, Status, spool

AT = datetime(2026, 5, 1, 10, tzinfo=timezone.utc)


class Joblens(ThreadingHTTPServer):
    """Answers as Joblens does; `answer` decides, given the facts."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.taken: list[Any] = []
        self.requests = 0
        self.bad = ""
        self.status = 200
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Joblens

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        facts = body["variables"]["facts"]
        self.server.requests += 1
        data: dict[str, Any] = {"data": {"recordFacts": {"recorded": 1, "known": 0, "faults": []}}}
        if self.server.status != 200:
            data = {"errors": [{"message": "no"}]}
        elif any(fact["externalId"] == self.server.bad for fact in facts):
            data = {"errors": [{"message": "bad", "extensions": {"code": "BAD_USER_INPUT"}}]}
        else:
            self.server.taken += facts
        answer = json.dumps(data).encode()
        self.send_response(self.server.status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def joblens() -> Iterator[Joblens]:
    server = Joblens()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where processes keep what they have not sent."""
    monkeypatch.setattr(spool, "_MEMORY", str(tmp_path))
    return tmp_path / f"joblens-client-{os.getuid()}"


def fact(id_: str, **told: Any) -> Fact:
    return Fact(id_, Status.QUEUED, AT, **told)


def ids(joblens: Joblens) -> list[str]:
    return [each["externalId"] for each in joblens.taken]


async def test_a_real_joblens(service: Service, ledger: Ledger) -> None:
    recorder = Recorder(str(service.client.base_url), "a token", "unit", spool=False)
    await recorder.record_async(Fact("one", Status.RUNNING, AT, attempt=1, type="t"), wait=True)
    assert recorder.stats.sent == 1
    for number in range(1_200):
        recorder.record(fact(f"many {number}", payload={"x": "y" * 900}))
    assert await asyncio.to_thread(recorder.flush, 60)
    assert recorder.stats.sent == 1_201
    await ledger.told("many 1199", "QUEUED 0")


def test_a_start_is_waited_for(joblens: Joblens) -> None:
    recorder = Recorder(joblens.url, None, "s", spool=False, start_seconds=60)
    recorder.record(fact("a"), wait=True)
    assert ids(joblens) == ["a"]


def test_a_bad_fact_does_not_take_others_with_it(joblens: Joblens) -> None:
    joblens.bad = "3"
    recorder = Recorder(joblens.url, None, "s")
    for number in range(7):
        recorder.record(fact(str(number)))
    assert recorder.flush(60)
    assert sorted(ids(joblens)) == ["0", "1", "2", "4", "5", "6"]
    assert (recorder.stats.sent, recorder.stats.rejected) == (6, 1)


@pytest.mark.parametrize("status", [401, 429, 503])
async def test_what_is_not_the_facts_fault_is_tried_again(joblens: Joblens, status: int) -> None:
    joblens.status = status
    recorder = Recorder(joblens.url, None, "s")
    recorder.record(fact("a"))

    async def has_tried() -> bool:
        return joblens.requests > 1

    await until(has_tried)
    assert recorder.stats.waiting == 1
    joblens.status = 200
    assert await asyncio.to_thread(recorder.flush, 60)
    assert ids(joblens) == ["a"]


async def test_joblens_is_down_for_a_while() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    recorder = Recorder(url, None, "s", spool=False, start_seconds=3_600, max_facts=3)
    for number in range(5):
        recorder.record(fact(str(number)), wait=number == 0)  # returns, although nothing answers
    assert recorder.stats.waiting == 3
    assert recorder.stats.dropped == 2
    joblens = Joblens(port)
    assert await asyncio.to_thread(recorder.flush, 60)
    assert sorted(ids(joblens)) == ["0", "1", "2"]
    joblens.shutdown()
    joblens.server_close()


def test_what_waits_for_too_long_is_dropped() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    recorder = Recorder(f"http://127.0.0.1:{port}", None, "s", max_seconds=0)
    recorder.record(fact("a"))
    assert recorder.flush(60)
    assert (recorder.stats.dropped, recorder.stats.waiting) == (1, 0)


def test_hide_and_odd_objects_raise_nothing(joblens: Joblens) -> None:
    def hide(type_: str, payload: Any) -> Any:
        raise ZeroDivisionError

    recorder = Recorder(joblens.url, None, "s", hide=hide)
    assert recorder.payload("t", [1], {}) is None
    assert recorder.stats.faulty == 1
    odd: Any = {1: object(), "deep": [float("nan"), b"x", {2**70}], "long": "x" * 100_000}
    odd["itself"] = odd
    recorder.record(fact("a", payload=odd))
    assert recorder.flush(60)
    assert len(json.dumps(joblens.taken)) < 70_000
    assert joblens.taken[0]["payload"]["1"] == "<builtins.object>"


def test_a_fork_starts_over(joblens: Joblens) -> None:
    recorder = Recorder(joblens.url, None, "s")
    recorder.record(fact("before"))
    assert recorder.flush(60)
    if (pid := os.fork()) == 0:
        recorder.record(fact("in the child"))
        os._exit(0 if recorder.flush(60) and recorder.stats.sent == 1 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    recorder.record(fact("after"))
    assert recorder.flush(60)
    assert ids(joblens) == ["before", "in the child", "after"]


@pytest.mark.parametrize("url", ["joblens.example.com", "ftp://joblens.example.com", "http://"])
def test_a_bad_address(url: str) -> None:
    with pytest.raises(ValueError, match="http"):
        Recorder(url)

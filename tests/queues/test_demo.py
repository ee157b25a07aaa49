"""`joblens demo --queue`: a real queue with its worker, mirrored while both run, and its end."""

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from db import embedded
from tests.server.cli.conftest import command, data_dir
from tests.server.cli.test_demo_on_a_terminal import Terminal
from tests.server.cli.test_serving import Serve, Server, ask, base_url, begin
from tests.support.patience import PATIENCE_SECONDS

__all__ = ["begin", "data_dir"]

DEMO = ("demo", "--queue", "procrastinate", "--port", "0")
MIRRORED = """{
  sources { name kind lastError }
  jobs(first: 50) {
    nodes { id externalId source { name } type status attempt attempts { outcome } }
  }
}"""
SIMULATED = '{ jobs(filter: {requestedBy: {eq: "simulation"}}) { count { value } } }'
# What each of its tasks comes to.
OUTCOMES = {
    ("email.send", "SUCCEEDED", ("SUCCEEDED",)),
    ("invoice.sync", "SUCCEEDED", ("FAILED", "SUCCEEDED")),
    ("report.build", "DEAD_LETTER", ("FAILED", "FAILED")),
    ("video.encode", "CANCELED", ("CANCELED",)),
    # One waits for its time, another was called off.
    ("email.send", "QUEUED", ()),
    ("email.send", "CANCELED", ()),
}


def mirrored(base: str) -> list[dict[str, Any]]:
    found: Any = ask(base, MIRRORED)
    assert found["sources"] == [
        {"name": "procrastinate", "kind": "procrastinate", "lastError": None}
    ]
    # Those without a source are of the sample history.
    return [job for job in found["jobs"]["nodes"] if job["source"] is not None]


def outcomes(base: str) -> set[tuple[str, str, tuple[str, ...]]]:
    return {
        (job["type"], job["status"], tuple(each["outcome"] for each in job["attempts"]))
        for job in mirrored(base)
    }


def until(is_so: Callable[[], bool]) -> None:
    limit = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < limit
        time.sleep(0.1)


def worker_of(server: Server) -> Path:
    """The folder of the worker's process."""
    children = [
        Path("/proc") / child
        for task in Path(f"/proc/{server.pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    words = {child: (child / "cmdline").read_text().split("\0") for child in children}
    (worker,) = [child for child in children if "demo.procrastinate_worker" in words[child]]
    return worker


def runs(process: Path) -> bool:
    try:
        # Of one that has ended, but whose end was not asked for, it is empty.
        return (process / "cmdline").read_bytes() != b""
    except OSError:
        return False


def test_each_outcome_is_seen_and_the_next_demo_goes_on(begin: Serve, data_dir: Path) -> None:
    server = begin(*DEMO)
    base = base_url(server)
    until(lambda: outcomes(base) >= OUTCOMES)
    assert ask(base, SIMULATED) == {"jobs": {"count": {"value": 0}}}
    before = {job["externalId"]: job for job in mirrored(base)}
    worker = worker_of(server)
    os.killpg(server.pid, signal.SIGINT)
    status, errors = server.ended()
    assert status == 0
    assert "Traceback" not in errors
    assert not runs(worker)
    assert embedded.find(data_dir) is None

    base = base_url(begin(*DEMO))
    until(lambda: len(mirrored(base)) > len(before) + 2)
    after = {job["externalId"]: job for job in mirrored(base)}
    assert len({job["id"] for job in after.values()}) == len(after)
    ended = {"SUCCEEDED", "DEAD_LETTER", "CANCELED"}
    kept = {name for name, job in before.items() if job["status"] in ended}
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_worker_ends_with_the_demo(begin: Serve, number: signal.Signals) -> None:
    server = begin(*DEMO)
    base = base_url(server)
    until(lambda: bool(mirrored(base)))
    worker = worker_of(server)
    server.send_signal(number)
    server.ended()
    until(lambda: not runs(worker))


def test_on_a_terminal_it_says_what_runs(data_dir: Path) -> None:
    terminal = Terminal(command(*DEMO))
    try:
        base = terminal.base_url()
        until(lambda: bool(mirrored(base)))
        shown = terminal.shown
        assert max(map(len, shown.splitlines())) <= 80
        query = re.search(r"--data-urlencode 'query=(.+?)'", shown, re.DOTALL)
        assert query is not None
        told: Any = ask(base, query[1])
        assert {"name": "procrastinate"} in [job["source"] for job in told["jobs"]["nodes"]]
        assert "docs/how-to/mirror-a-queue.md" in shown
        terminal.press_ctrl_c()
        assert terminal.process.returncode == 0
        assert terminal.shown.replace("^C", "").strip() == shown.strip()
    finally:
        terminal.close()

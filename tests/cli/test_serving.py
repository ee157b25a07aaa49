"""`joblens serve` and `joblens demo`, as real processes."""

import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest
import typer

from db import embedded
from server.cli import listening
from server.settings import Settings
from tests.cli.conftest import command, run

Server = subprocess.Popen[str]
Serve = Callable[..., Server]


@pytest.fixture
def begin() -> Iterator[Serve]:
    """Starts a command in a process group of its own; what is left of it at the end is killed."""
    servers: list[Server] = []

    def start(*arguments: str) -> Server:
        pipe = subprocess.PIPE
        words = command(*arguments)
        servers.append(
            subprocess.Popen(words, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
        )
        return servers[-1]

    yield start
    for server in servers:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
        server.communicate()


def base_url(server: Server) -> str:
    """Wait until the server has told its URLs, and get what they share."""
    assert server.stdout is not None
    for line in server.stdout:
        if found := re.search(r"(http://\S+)/healthz$", line.strip()):
            return found[1]
    assert server.stderr is not None
    pytest.fail(f"it ended: {server.stderr.read()}")


def get(url: str) -> int:
    with urllib.request.urlopen(url) as answer:
        return int(answer.status)


def ask(base: str, query: str) -> dict[str, object]:
    body = orjson.dumps({"query": query})
    request = urllib.request.Request(f"{base}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return dict(orjson.loads(answer.read())["data"])


def test_the_demo(begin: Serve, data_dir: Path) -> None:
    server = begin("demo", "--still", "--port", "0")
    base = base_url(server)
    assert get(f"{base}/healthz") == get(f"{base}/readyz") == 200
    jobs = ask(base, "{ jobs { nodes { id } count { value } } }")
    os.killpg(server.pid, signal.SIGINT)
    _, errors = server.communicate()
    assert server.returncode == 0
    assert "Traceback" not in errors
    assert embedded.find(data_dir) is None

    # Again: the same history, not twice.
    server = begin("demo", "--still", "--port", "0")
    assert ask(base_url(server), "{ jobs { nodes { id } count { value } } }") == jobs


def test_the_demo_lives(begin: Serve) -> None:
    server = begin("demo", "--port", "0")
    base = base_url(server)
    query = """{ jobEvents(first: 1, filter: {
      nextStatus: [SUCCEEDED], job: {requestedBy: {eq: "simulation"}}
    }) { nodes { job { status attempts { outcome } } } } }"""
    while not (nodes := ask(base, query)["jobEvents"]["nodes"]):  # type: ignore[index]
        time.sleep(0.2)
    assert nodes[0]["job"]["status"] == "SUCCEEDED"
    os.killpg(server.pid, signal.SIGINT)
    _, errors = server.communicate()
    assert server.returncode == 0
    assert "Traceback" not in errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_serve(begin: Serve, data_dir: Path, number: signal.Signals, workers: str) -> None:
    assert run("migrate").exit_code == 0
    server = begin("serve", "--port", "0", "--workers", workers)
    base = base_url(server)
    assert get(f"{base}/readyz") == 200
    assert ask(base, "{ jobs { nodes { id } } }") == {"jobs": {"nodes": []}}
    os.kill(server.pid, number)
    _, errors = server.communicate()
    assert server.returncode == 0
    assert "Traceback" not in errors
    assert embedded.find(data_dir) is None


def test_serve_another_database(begin: Serve, ledger: str, data_dir: Path) -> None:
    base = base_url(begin("serve", "--port", "0", "--host", "localhost"))
    assert base.startswith("http://127.0.0.1:")
    assert get(f"{base}/readyz") == 200
    assert not data_dir.exists()


def test_a_port_in_use(ledger: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        told = run("serve", "--port", str(port))
    assert told.exit_code == 2
    assert f"cannot serve on 127.0.0.1 port {port}" in told.stderr
    assert "--port" in told.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
@pytest.mark.parametrize("verb", ["serve", "demo"])
def test_only_loopback_addresses(host: str, verb: str, data_dir: Path) -> None:
    told = run(verb, "--host", host)
    assert told.exit_code == 2
    assert told.stderr.startswith(f"joblens: {host} is no")
    assert told.stderr.endswith("use 127.0.0.1, ::1 or localhost\n")
    assert not data_dir.exists()


def test_the_demo_is_of_the_embedded_database_only(ledger: str) -> None:
    told = run("demo")
    assert told.exit_code == 2
    assert "unset JOBLENS_DATABASE_URL" in told.stderr


def failing_app() -> object:
    """An application that cannot start."""

    async def app(
        _scope: object, receive: Callable[..., object], send: Callable[..., object]
    ) -> None:
        raise RuntimeError

    return app


@pytest.mark.parametrize("workers", [1, 2])
def test_an_application_that_does_not_start(
    workers: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    handlers = {number: signal.getsignal(number) for number in signal.Signals}
    monkeypatch.setattr(listening, "APP", f"{__name__}:failing_app")
    settings = Settings.read({"JOBLENS_WORKERS": str(workers)})
    try:
        with listening.listen("127.0.0.1", 0) as listener, pytest.raises(typer.Exit) as end:
            listening.run(settings, "postgresql://127.0.0.1:1/away", listener)
    finally:
        for number, handler in handlers.items():
            if handler not in {None, signal.getsignal(number)}:
                signal.signal(number, handler)
    assert end.value.exit_code == 2
    assert "the server did not start" in capsys.readouterr().err

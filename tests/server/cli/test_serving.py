"""`joblens serve` and `joblens demo`, as real processes."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest
import typer

from db import embedded
from demo.history import ORGS
from server.cli import uvicorn_server
from server.settings import Settings
from tests.server.cli.conftest import command, run
from tests.server.cli.test_doctor import execute, login_without_role
from tests.support.effort import first


class Server(subprocess.Popen[str]):
    """A command. It logs to a file: a pipe that is read at its end only would stop it when full."""

    def __init__(self, *words: str) -> None:
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in `stop`
        # In a process group of its own, so that all of it can be ended.
        super().__init__(
            words, stdout=subprocess.PIPE, stderr=self._log, text=True, start_new_session=True
        )

    def ended(self) -> tuple[int, str]:
        """Wait until it has ended; get its exit status, and what it has logged."""
        status = self.wait()
        self._log.seek(0)
        return status, self._log.read()

    def stop(self) -> None:
        """Kill it if it still runs, and close its files."""
        if self.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)
        self.communicate()
        self._log.close()


Serve = Callable[..., Server]


@pytest.fixture
def begin() -> Iterator[Serve]:
    """Starts a command; what is left of it at the end is killed."""
    servers: list[Server] = []

    def start(*arguments: str) -> Server:
        servers.append(Server(*command(*arguments)))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def base_url(server: Server) -> str:
    """Wait until the server has told its URLs, and get what they share."""
    assert server.stdout is not None
    for line in server.stdout:
        if found := re.search(r"(http://\S+)/healthz$", line.strip()):
            return found[1]
    pytest.fail(f"it ended: {server.ended()}")


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
    status, errors = server.ended()
    assert status == 0
    assert "Traceback" not in errors
    assert embedded.find(data_dir) is None

    # Again: the same history, not twice.
    server = begin("demo", "--still", "--port", "0")
    assert ask(base_url(server), "{ jobs { nodes { id } count { value } } }") == jobs


def test_the_demo_begun_again(begin: Serve, data_dir: Path, tmp_path: Path) -> None:
    """`--fresh` deletes the jobs of the demo's organisations, says so, and nothing else."""
    history = "{ statusCounts { status count { value } } jobs(first: 200) { nodes { id } } }"
    server = begin("demo", "--still", "--port", "0", "--fresh")
    base = base_url(server)
    before = ask(base, history)
    ask(base, 'mutation { createJob(input: {type: "mine"}) { __typename } }')
    assert ask(base, history) != before
    others = tmp_path / "others.ndjson"
    others.write_text('{"type": "a", "status": "queued", "created_at": "2026-01-31T08:00:00Z"}')
    own = run("org", "create", "Own").stdout.strip()
    assert run("import", others, "--org", own).exit_code == 0
    os.killpg(server.pid, signal.SIGINT)
    _, errors = server.ended()
    assert "deleted" not in errors

    server = begin("demo", "--still", "--port", "0", "--fresh")
    assert ask(base_url(server), history) == before
    assert len(run("export", "--org", own).stdout.splitlines()) == 1
    # An organisation of the demo that a user has given a name is left alone.
    assert run("org", "create", "Adopted", "--id", str(ORGS[1])).exit_code == 0
    os.killpg(server.pid, signal.SIGINT)
    _, errors = server.ended()
    assert "deleted the 1,999 jobs of the demo's organisations: " in errors
    assert all(str(org_id) in errors for org_id in ORGS)
    refused = begin("demo", "--still", "--port", "0", "--fresh")
    status, errors = refused.ended()
    assert status == 2
    assert "--fresh would delete the jobs of Adopted" in errors
    assert len(run("export", "--org", "Adopted").stdout.splitlines()) > 100


@pytest.mark.parametrize("attempts", first(1, [1, 2]))
def test_the_demo_lives(begin: Serve, attempts: int) -> None:
    server = begin("demo", "--port", "0")
    base = base_url(server)
    query = """{ jobs(filter: {status: [SUCCEEDED], requestedBy: {eq: "simulation"}}) {
      nodes { attempt attempts { outcome } }
    } }"""

    def succeeded() -> list[dict[str, object]]:
        nodes = ask(base, query)["jobs"]["nodes"]  # type: ignore[index]
        return [job for job in nodes if job["attempt"] == attempts]

    while not (found := succeeded()):
        time.sleep(0.2)
    told = [each["outcome"] for each in found[0]["attempts"]]  # type: ignore[attr-defined]
    assert told == ["FAILED"] * (attempts - 1) + ["SUCCEEDED"]
    os.killpg(server.pid, signal.SIGINT)
    status, errors = server.ended()
    assert status == 0
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("workers", "number"),
    [
        ("1", signal.SIGINT),
        ("2", signal.SIGTERM),
        pytest.param("1", signal.SIGTERM, marks=pytest.mark.long),
        pytest.param("2", signal.SIGINT, marks=pytest.mark.long),
    ],
)
def test_serve(
    begin: Serve,
    data_dir: Path,
    number: signal.Signals,
    workers: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JOBLENS_AUTH", "none")
    assert run("migrate").exit_code == 0
    server = begin("serve", "--port", "0", "--workers", workers)
    base = base_url(server)
    assert get(f"{base}/readyz") == 200
    assert ask(base, "{ jobs { nodes { id } } }") == {"jobs": {"nodes": []}}
    os.kill(server.pid, number)
    status, errors = server.ended()
    assert status == 0
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


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
@pytest.mark.parametrize("verb", ["serve", "demo"])
def test_only_loopback_addresses_without_credentials(
    host: str, verb: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBLENS_AUTH", "none")
    told = run(verb, "--host", host)
    assert told.exit_code == 2
    assert told.stderr.startswith(f"joblens: {host} is not a loopback address")
    assert told.stderr.endswith("use 127.0.0.1, ::1 or localhost\n")
    monkeypatch.setenv("JOBLENS_HOST", host)
    told = run(verb)
    assert told.exit_code == 2
    assert "JOBLENS_HOST must be a loopback address" in told.stderr
    assert not data_dir.exists()


def test_a_name_is_no_address(data_dir: Path) -> None:
    told = run("serve", "--host", "example.org")
    assert told.exit_code == 2
    assert told.stderr.startswith("joblens: example.org is not an address")
    assert not data_dir.exists()


def test_any_address_with_credentials(begin: Serve, ledger: str) -> None:
    port = base_url(begin("serve", "--port", "0", "--host", "0.0.0.0")).rpartition(":")[2]
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/graphql?query=%7Bviewer%7BorgId%7D%7D")
    assert refusal.value.code == 401
    refusal.value.close()


@pytest.mark.parametrize("missing", ["procrastinate", "psycopg"])
def test_the_demos_queue_needs_its_extra(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    for name in ("procrastinate", "psycopg"):
        # None: as if it were not installed.
        monkeypatch.setitem(sys.modules, name, None if name == missing else sys)
    ended = run("demo", "--queue", "procrastinate")
    assert ended.exit_code == 2
    assert f"--queue needs {missing}: install joblens[queue-demo]" in ended.stderr


def test_the_demo_wants_no_credentials(monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> None:
    monkeypatch.setenv("JOBLENS_AUTH", "token")
    told = run("demo")
    assert told.exit_code == 2
    assert "unset JOBLENS_AUTH" in told.stderr
    assert not data_dir.exists()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        ("ALTER TABLE job DISABLE ROW LEVEL SECURITY", ["row security of job: off", "ENABLE ROW"]),
        (
            "ALTER TABLE token OWNER TO joblens_app",
            ["row security of token: joblens_app owns", "OWNER TO another role"],
        ),
        ("DROP POLICY job_event_organisation ON job_event", ["no policy for joblens_app"]),
        (
            "CREATE POLICY more ON job TO joblens_app USING (true)",
            ["besides job_organisation: more"],
        ),
    ],
)
def test_no_serving_without_row_security(unmigrated: str, harm: str, words: list[str]) -> None:
    run("migrate")
    execute(unmigrated, harm)
    told = run("serve", "--port", "0")
    assert told.exit_code == 2
    assert all(word in told.stderr for word in words)
    assert told.stderr.endswith("would not separate organisations on this database\n")


def test_no_serving_by_a_login_that_may_not_work_as_the_role(
    unmigrated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("migrate")
    with login_without_role(unmigrated, monkeypatch) as login:
        told = run("serve", "--port", "0")
    assert told.exit_code == 2
    assert f"GRANT joblens_app TO {login}" in told.stderr


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
    monkeypatch.setattr(uvicorn_server, "APP", f"{__name__}:failing_app")
    settings = Settings.read({"JOBLENS_WORKERS": str(workers), "JOBLENS_PORT": "0"})
    try:
        with uvicorn_server.listen(settings) as listener, pytest.raises(typer.Exit) as end:
            uvicorn_server.run(settings, "postgresql://127.0.0.1:1/away", listener)
    finally:
        for number, handler in handlers.items():
            if handler not in {None, signal.getsignal(number)}:
                signal.signal(number, handler)
    assert end.value.exit_code == 2
    assert "the server did not start" in capsys.readouterr().err

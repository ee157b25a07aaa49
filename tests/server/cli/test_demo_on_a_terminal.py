"""`joblens demo` on a real terminal: its URL and what to try, and of the log what is wrong."""

import fcntl
import os
import pty
import re
import select
import socket
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from db import embedded
from tests.server.cli.conftest import ROOT, command, run
from tests.server.cli.test_serving import ask
from tests.support.patience import PATIENCE_SECONDS

URL = re.compile(r"(http://127\.0\.0\.1:\d+)/graphql")
LIVES = """{ jobs(filter: {
  status: [SUCCEEDED], requestedBy: {eq: "simulation"}
}) { count { value } } }"""


class Terminal:
    """A terminal on which a command runs."""

    def __init__(self, words: list[str]) -> None:
        self._ours, theirs = pty.openpty()
        # Its controlling terminal, so that Ctrl-C reaches all that run on it.
        self.process = subprocess.Popen(
            words,
            cwd=ROOT,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no threads
        )
        os.close(theirs)
        self.shown = ""

    def read(self) -> None:
        """Read what is there to read within a moment."""
        if select.select([self._ours], [], [], 0.1)[0]:
            try:
                self.shown += os.read(self._ours, 65_536).decode()
            except OSError:
                # So ends a terminal that no process has open any more.
                self.process.wait()

    def read_until(self, is_so: Callable[[], object]) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            assert time.monotonic() < until, self.shown
            self.read()

    def base_url(self) -> str:
        self.read_until(lambda: URL.search(self.shown))
        found = URL.search(self.shown)
        assert found is not None
        return found[1]

    def press_ctrl_c(self) -> None:
        """Interrupt what runs, and wait for its end."""
        os.write(self._ours, b"\x03")
        self.read_until(lambda: self.process.poll() is not None)
        self.read()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._ours)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's data, made once."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(autouse=True)
def data_dir(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Path]:
    monkeypatch.setenv("JOBLENS_DATA_DIR", str(folder))
    yield folder
    embedded.shutdown(folder)


@pytest.fixture
def begin() -> Iterator[Callable[..., Terminal]]:
    terminals: list[Terminal] = []

    def start(*words: str) -> Terminal:
        terminals.append(Terminal(list(words)))
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.close()


Begin = Callable[..., Terminal]


def live(terminal: Terminal) -> None:
    """Wait until the simulated workers have run another job to its end."""
    base = terminal.base_url()
    before = ask(base, LIVES)
    terminal.read_until(lambda: ask(base, LIVES) != before)


def test_the_url_and_what_to_try_and_nothing_else(begin: Begin) -> None:
    terminal = begin(*command("demo", "--port", "0"))
    live(terminal)
    invitation = terminal.shown
    assert invitation.count("http://") == 2
    assert f"Joblens is at {terminal.base_url()}/\r\n" in invitation
    assert f"curl -sG {terminal.base_url()}/graphql" in invitation
    assert "docs/tutorial/first-steps.md" in invitation
    assert max(map(len, invitation.splitlines())) <= 80
    query = re.search(r"--data-urlencode 'query=(.+?)'", invitation, re.DOTALL)
    assert query is not None
    assert ask(terminal.base_url(), query[1])["jobs"]["nodes"]  # type: ignore[index]
    terminal.press_ctrl_c()
    assert terminal.process.returncode == 0
    assert terminal.shown.replace("^C", "").strip() == invitation.strip()


@pytest.mark.parametrize(
    "way", ["--verbose", pytest.param("JOBLENS_LOG_LEVEL", marks=pytest.mark.long)]
)
def test_the_log_is_shown_to_who_wants_it(
    begin: Begin, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "JOBLENS_LOG_LEVEL":
        monkeypatch.setenv(way, "info")
    terminal = begin(*command("demo", "--port", "0", *([way] if way == "--verbose" else [])))
    live(terminal)
    terminal.press_ctrl_c()
    assert "/graphql" in terminal.shown
    assert "joblens.audit" in terminal.shown
    assert "joblens.http" in terminal.shown
    assert "Traceback" not in terminal.shown


@pytest.mark.long
def test_what_is_wrong_is_shown(begin: Begin) -> None:
    terminal = begin(*command("demo", "--port", "0"))
    live(terminal)
    assert run("db", "stop").stdout == "stopped\n"
    terminal.read_until(lambda: "simulated workers get no responses" in terminal.shown)
    assert "warning" in terminal.shown
    terminal.press_ctrl_c()
    assert "Traceback" not in terminal.shown


def test_make_demo_where_its_port_is_taken(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    # As on a terminal of its own, not below the make that runs the tests: that one says more.
    for name in ("MAKEFLAGS", "MAKELEVEL"):
        monkeypatch.delenv(name, raising=False)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("JOBLENS_PORT", str(port))
        terminal = begin("make", "demo")
        terminal.read_until(lambda: terminal.process.poll() is not None)
        terminal.read()
    assert f"cannot serve on 127.0.0.1 port {port}" in terminal.shown
    told = re.search(r"make demo (PORT=\d+)", terminal.shown)
    assert told is not None
    # As it says, but for the number: the next one might be taken too.
    terminal = begin("make", "demo", "PORT=0", "ARGS=--still")
    terminal.base_url()
    terminal.press_ctrl_c()
    assert terminal.shown.rstrip().endswith("Press Ctrl-C to stop.\r\n\r\n^C")

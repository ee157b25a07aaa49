"""Which database a command uses, and what it says of one that it cannot use."""

import socket
from operator import itemgetter
from pathlib import Path

import pytest

from db import embedded
from server.cli.errors import redacted
from tests.server.cli.conftest import run

COMMANDS = [
    ["migrate"],
    ["token", "list"],
    ["export"],
    ["import", __file__],
    ["serve", "--port", "0"],
]


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize("words", COMMANDS, ids=itemgetter(0))
def test_a_database_that_is_away(
    words: list[str], closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"postgresql://me:geheim@127.0.0.1:{closed_port}/jobs"
    monkeypatch.setenv("JOBLENS_DATABASE_URL", url)
    told = run(*words)
    assert told.exit_code == 2
    assert told.stderr.startswith(
        f"joblens: the database postgresql://me:***@127.0.0.1:{closed_port}"
    )
    assert told.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [*COMMANDS, ["doctor"]], ids=itemgetter(0))
@pytest.mark.parametrize("url", ["mysql://me:geheim@host/jobs", "postgresql://me:p@host:geheim/x"])
def test_a_url_that_is_none(words: list[str], url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBLENS_DATABASE_URL", url)
    told = run(*words)
    assert told.exit_code in {1, 2}
    assert "is not a usable PostgreSQL URI" in told.stdout + told.stderr
    assert "geheim" not in told.stdout + told.stderr


@pytest.mark.parametrize("words", COMMANDS[1:], ids=itemgetter(0))
def test_a_database_without_tables(words: list[str], unmigrated: str) -> None:
    told = run(*words)
    assert told.exit_code == 2
    assert (
        told.stderr == "joblens: the database has no tables of Joblens yet; run: joblens migrate\n"
    )


def test_the_embedded_database_is_left_as_it_was_found(data_dir: Path) -> None:
    assert run("migrate").exit_code == 0
    assert embedded.find(data_dir) is None
    assert run("db", "start").exit_code == 0
    assert run("migrate", "--check").exit_code == 0
    assert embedded.find(data_dir) is not None


def test_an_embedded_database_that_does_not_start(data_dir: Path) -> None:
    data_dir.write_text("a file")
    told = run("migrate")
    assert told.exit_code == 2
    assert "\njoblens: the embedded PostgreSQL cannot be used: " in told.stderr


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:secret@host/jobs", "postgresql://me:***@host/jobs"),
        ("postgresql://me:se:c@r/e@t@host/jobs", "postgresql://me:***@host/jobs"),
        (
            "postgresql://host/jobs?user=me&password=secret",
            "postgresql://host/jobs?user=me&password=***",
        ),
        ("postgresql://host/jobs?sslpassword=s&x=1", "postgresql://host/jobs?sslpassword=***&x=1"),
        ("postgresql://postgres:@/jobs?host=/run", "postgresql://postgres:@/jobs?host=/run"),
        ("postgresql://me@host/jobs", "postgresql://me@host/jobs"),
    ],
)
def test_passwords_are_not_shown(url: str, shown: str) -> None:
    assert redacted(url) == shown

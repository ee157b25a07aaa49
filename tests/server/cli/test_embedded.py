"""`joblens db`."""

from pathlib import Path

import pytest

from db import embedded
from tests.server.cli.conftest import run, spawn


def test_it_runs_from_start_to_stop(data_dir: Path) -> None:
    told = run("db", "url")
    assert told.exit_code == 2
    assert "run: joblens db start" in told.stderr

    # A process of its own: its end does not end the server.
    started = spawn("db", "start")
    assert (started.returncode, started.stderr) == (0, "")
    assert started.stdout.strip() == embedded.find(data_dir)
    assert run("db", "url").stdout == run("db", "start").stdout == started.stdout

    assert run("db", "stop").stdout == "stopped\n"
    assert embedded.find(data_dir) is None
    again = run("db", "stop")
    assert again.exit_code == 0
    assert "was running" in again.stdout


@pytest.mark.parametrize("verb", ["url", "start", "stop"])
def test_it_is_not_for_another_database(verb: str, ledger: str) -> None:
    told = run("db", verb)
    assert told.exit_code == 2
    assert "JOBLENS_DATABASE_URL is set" in told.stderr

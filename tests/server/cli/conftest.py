"""How these tests run the command: in this process, or as a process of its own."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from typer.testing import CliRunner

from db import embedded
from server.cli import app
from tests.conftest import create_database, database_in, drop_database
from tests.support.checkout import ROOT


class Outcome(Protocol):
    """What a command did."""

    @property
    def exit_code(self) -> int: ...
    @property
    def stdout(self) -> str: ...
    @property
    def stderr(self) -> str: ...
    @property
    def stdout_bytes(self) -> bytes: ...


@pytest.fixture(autouse=True)
def data_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The data directory of the commands; no other setting reaches them from outside."""
    for name in list(os.environ):
        if name.startswith("JOBLENS_"):
            monkeypatch.delenv(name)
    path = tmp_path / "data"
    monkeypatch.setenv("JOBLENS_DATA_DIR", str(path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    yield path
    embedded.shutdown(path)


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch, database_url: str) -> str:
    """A migrated database that the commands use."""
    monkeypatch.setenv("JOBLENS_DATABASE_URL", database_url)
    return database_url


@pytest.fixture
async def unmigrated(cluster_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A database without tables that the commands use."""
    name = await create_database(cluster_url)
    url = database_in(cluster_url, name)
    monkeypatch.setenv("JOBLENS_DATABASE_URL", url)
    yield url
    await drop_database(cluster_url, name)


def run(*arguments: str | Path) -> Outcome:
    """Run a command in this process. An error that it does not expect fails the test."""
    words = [str(argument) for argument in arguments]
    return CliRunner().invoke(app, words, catch_exceptions=False)


def command(*arguments: str | Path) -> list[str]:
    """The words that run a command as a process of its own."""
    return [sys.executable, "-W", "error", "-m", "joblens", *map(str, arguments)]


def spawn(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command as a process of its own, to its end."""
    words = command(*arguments)
    return subprocess.run(words, input=stdin, capture_output=True, text=True, check=False)

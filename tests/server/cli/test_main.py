"""The command's top, and what holds for every command."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from server.cli import app
from tests.server.cli.conftest import run, spawn


def commands(group: Any = None) -> Iterator[Any]:
    group = group or typer.main.get_command(app)
    for command in group.commands.values():
        yield command
        if hasattr(command, "commands"):
            yield from commands(command)


def test_its_commands() -> None:
    names = {command.name for command in commands()}
    assert names >= {"demo", "serve", "migrate", "doctor", "schema", "import", "export", "db"}
    assert names >= {"url", "start", "stop", "org", "token", "create", "list", "revoke"}


@pytest.mark.parametrize("command", list(commands()), ids=lambda command: command.name)
def test_every_command_and_option_says_what_it_is_for(command: Any) -> None:
    assert command.help
    assert all(parameter.help for parameter in command.params)


def test_version() -> None:
    told = run("--version")
    assert told.exit_code == 0
    assert told.stdout.startswith("joblens ")


def test_it_runs_as_a_module() -> None:
    told = spawn("--help")
    assert told.returncode == 0
    assert "Usage: joblens" in told.stdout


@pytest.mark.parametrize("words", [["nonsense"], ["serve", "--port", "x"], ["import"]])
def test_wrong_usage(words: list[str]) -> None:
    told = run(*words)
    assert told.exit_code == 2
    assert "Usage: joblens" in told.stderr
    assert told.stdout == ""


@pytest.mark.parametrize("words", [["migrate"], ["serve"], ["demo"], ["export"], ["db", "url"]])
def test_wrong_settings(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBLENS_PROT", "8000")
    told = run(*words)
    assert told.exit_code == 2
    assert told.stderr == "joblens: unknown setting: JOBLENS_PROT\n"

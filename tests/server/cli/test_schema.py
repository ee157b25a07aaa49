"""`joblens schema`."""

from pathlib import Path

import pytest

from schema.schema import sdl
from tests.server.cli.conftest import run


def test_it_prints_the_schema() -> None:
    told = run("schema")
    assert told.exit_code == 0
    assert told.stdout.strip() == sdl().strip()
    assert told.stdout.endswith("}\n")


def test_check_compares_with_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "schema.graphql"
    file.write_text(run("schema").stdout)
    assert run("schema", "--check", file).exit_code == 0
    monkeypatch.chdir(tmp_path)
    assert run("schema", "--check").exit_code == 0

    file.write_text(file.read_text().replace("type Query", "type Question"))
    told = run("schema", "--check")
    assert told.exit_code == 1
    assert "-type Question" in told.stderr
    assert "run: joblens schema > schema.graphql" in told.stderr


def test_check_without_the_file(tmp_path: Path) -> None:
    told = run("schema", "--check", tmp_path / "none.graphql")
    assert told.exit_code == 2
    assert "No such file" in told.stderr

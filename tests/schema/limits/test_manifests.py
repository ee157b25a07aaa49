"""Manifests that cannot be read stop the start, in words that name the file."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from server.cli.main import app
from server.document_manifests import read_manifests
from server.document_rules import make_rules
from server.settings import Settings, SettingsError

# Its documents are registered, too.
NO_DASHBOARD = {"JOBLENS_DASHBOARD": "false"}
APOLLO = {"format": "apollo-persisted-query-manifest", "version": 1}


def test_several_manifests_may_hold_the_same(tmp_path: Path) -> None:
    operation = {"id": "a", "name": "A", "type": "query", "body": "{ __typename }"}
    for name, manifest in (
        ("1", {"a": "{ __typename }", "b": "{ viewer { subject } }"}),
        ("2", {**APOLLO, "operations": [operation]}),
    ):
        (tmp_path / f"{name}.json").write_text(json.dumps(manifest))
    assert read_manifests(tmp_path) == {"a": "{ __typename }", "b": "{ viewer { subject } }"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ({"a": 1}, "'a'"),
        ({"": "{ a }"}, "not an id"),
        ({"a": "{"}, "'a' is not GraphQL"),
        ({"format": "other", "version": 1}, "format"),
        ({**APOLLO, "version": 2, "operations": []}, "version 1"),
        (APOLLO, "no list of operations"),
        ({**APOLLO, "operations": ["a"]}, "not an object"),
        ({**APOLLO, "operations": [{"id": "a"}]}, "'a'"),
        ({**APOLLO, "operations": [{"body": "{ a }"}]}, "not an id"),
        ({"known": "{ b }"}, "another document"),
    ],
    ids=str,
)
def test_a_bad_one_is_named(tmp_path: Path, content: Any, words: str) -> None:
    (tmp_path / "0.json").write_text('{"known": "{ a }"}')
    file = tmp_path / "bad.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(SettingsError) as refusal:
        read_manifests(tmp_path)
    assert str(file) in str(refusal.value)
    assert words in str(refusal.value)


def test_a_directory_must_hold_some(tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "missing"):
        settings = Settings.read({"JOBLENS_DOCUMENTS_DIR": str(directory)})
        with pytest.raises(SettingsError, match="JOBLENS_DOCUMENTS_DIR"):
            make_rules(settings)


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"JOBLENS_DOCUMENTS": "only", **NO_DASHBOARD}, "JOBLENS_DOCUMENTS_DIR"),
        ({"JOBLENS_DOCUMENTS": "prefer", **NO_DASHBOARD}, "JOBLENS_DOCUMENTS_DIR"),
        ({"JOBLENS_DOCUMENTS": "some"}, "JOBLENS_DOCUMENTS"),
        (
            {
                "JOBLENS_DOCUMENTS": "only",
                "JOBLENS_DOCUMENTS_DIR": "/tmp",
                "JOBLENS_AUTOMATIC_PERSISTED_QUERIES": "true",
            },
            "JOBLENS_AUTOMATIC_PERSISTED_QUERIES",
        ),
    ],
)
def test_settings_that_do_not_fit_together(given: dict[str, str], word: str) -> None:
    with pytest.raises(SettingsError, match=word):
        Settings.read(given)


def test_serve_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    variables = {"JOBLENS_DOCUMENTS": "only", "JOBLENS_DOCUMENTS_DIR": str(tmp_path)}
    result = CliRunner().invoke(app, ["serve"], env=variables)
    assert result.exit_code == 2
    assert "bad.json" in result.stderr.replace("\n", "")

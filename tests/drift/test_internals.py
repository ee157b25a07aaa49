"""CONTRIBUTING.md lists the internals of libraries that we use, and pyproject.toml bounds these."""

import re
import tomllib

import pytest

from server.uvicorn import UVICORN_VERSIONS, WEBSOCKETS_VERSIONS
from tests.support.checkout import ROOT

PATH = re.compile(r"`((?:server|schema|db|tests)/[\w/]+\.py)`")
# A private name of a library, or an attribute of one of its modules replaced.
USE = re.compile(
    r"noqa: SLF001|^vars\(|^\s+vars\(import_module|MAX_COMPLEXITY_BUDGET =", re.MULTILINE
)
LIBRARIES = (
    "asyncpg",
    "graphql-core",
    "prometheus-client",
    "sqlalchemy",
    "strawberry-graphql",
    "uvicorn",
    "websockets",
)


def rows() -> list[str]:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    section = text.partition("### Library internals")[2].partition("\n### ")[0]
    return [line for line in section.splitlines() if line.startswith("| ")][1:]


def requirement(name: str) -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (entry,) = (each for each in project["dependencies"] if re.match(rf"{name}\b[\[>]", each))
    return str(entry)


@pytest.mark.parametrize("row", rows())
def test_each_row_names_modules_and_tests(row: str) -> None:
    _, _, modules, tests = row.strip("| ").split(" | ")
    for paths in (PATH.findall(modules), PATH.findall(tests)):
        assert paths
        assert all((ROOT / path).is_file() for path in paths)


def test_every_module_that_uses_internals_is_listed() -> None:
    listed = {path for row in rows() for path in PATH.findall(row)}
    files = (file for name in ("server", "schema", "db") for file in (ROOT / name).rglob("*.py"))
    used = {str(file.relative_to(ROOT)) for file in files if USE.search(file.read_text())}
    assert len(used) > 3
    assert used - listed == set()


@pytest.mark.parametrize("name", LIBRARIES)
def test_versions_are_bounded(name: str) -> None:
    assert "<" in requirement(name)


def test_uvicorn_is_bounded_to_the_versions_of_its_subclasses() -> None:
    assert requirement("uvicorn") == f"uvicorn{UVICORN_VERSIONS}"
    assert requirement("websockets") == f"websockets{WEBSOCKETS_VERSIONS}"

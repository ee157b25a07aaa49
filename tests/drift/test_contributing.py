"""CONTRIBUTING.md lists every direct dependency, and none that is gone."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"[A-Za-z0-9._-]+")
ROW = re.compile(r"^\| `([^`]+)` \| (.+) \|$", re.MULTILINE)


def direct() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    requirements = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *(entry for group in project["dependency-groups"].values() for entry in group),
    ]
    page = json.loads((ROOT / "frontend" / "package.json").read_text())
    npm = [*page.get("dependencies", {}), *page.get("devDependencies", {})]
    return {name[0] for entry in requirements if (name := NAME.match(entry))} | set(npm)


def listed() -> dict[str, str]:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    return dict(ROW.findall(text.partition("## Dependencies")[2]))


def test_every_direct_dependency_is_listed_and_no_other() -> None:
    assert set(listed()) == direct()


@pytest.mark.parametrize("name", sorted(direct()))
def test_a_dependency_has_its_reason(name: str) -> None:
    assert listed().get(name, "").strip()

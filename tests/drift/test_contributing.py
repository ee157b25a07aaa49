"""CONTRIBUTING.md names files that exist, and every direct dependency with its reason."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.checkout import ROOT

NAME = re.compile(r"[A-Za-z0-9._-]+")
ROW = re.compile(r"^\| `([^`]+)` \| (.+) \|$", re.MULTILINE)


def direct() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    requirements = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *(
            entry
            for extra in project["project"]["optional-dependencies"].values()
            for entry in extra
        ),
        *(entry for group in project["dependency-groups"].values() for entry in group),
    ]
    packages = [
        json.loads((ROOT / folder / "package.json").read_text())
        for folder in ("frontend", "tests/queues/node")
    ]
    npm = [
        name
        for package in packages
        for kind in ("dependencies", "devDependencies")
        for name in package.get(kind, {})
    ]
    return {name[0] for entry in requirements if (name := NAME.match(entry))} | set(npm)


def listed() -> dict[str, str]:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    return dict(ROW.findall(text.partition("## Dependencies")[2]))


def test_every_direct_dependency_is_listed_and_no_other() -> None:
    assert set(listed()) == direct()


@pytest.mark.parametrize("name", sorted(direct()))
def test_a_dependency_has_its_reason(name: str) -> None:
    assert listed().get(name, "").strip()


PATH = re.compile(r"`((?:[\w.-]+/)+(?:[\w.-]+)?|[\w-]+\.(?:py|md|toml|graphql))`")
RECIPES = re.compile(r"^## (Add .+?)\n(.*?)(?=^## )", re.MULTILINE | re.DOTALL)
NAMES = re.compile(r"`(\w+)\([^`]*\)` of `([^`]+)`")


def contributing() -> str:
    return (ROOT / "CONTRIBUTING.md").read_text()


def test_its_files_exist() -> None:
    paths = PATH.findall(contributing())
    assert len(paths) > 40
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_each_recipe_names_its_files() -> None:
    recipes = dict(RECIPES.findall(contributing()))
    assert set(recipes) == {
        "Add a column", "Add a field", "Add a filter", "Add a mutation", "Add a migration",
    }  # fmt: skip
    assert all(PATH.search(text) for text in recipes.values())


def test_functions_in_recipes_exist() -> None:
    found = NAMES.findall(contributing())
    assert found
    for name, path in found:
        assert re.search(rf"^(?:async )?def {name}\(", (ROOT / path).read_text(), re.MULTILINE)


def test_the_next_migration_is_the_one_of_the_recipe() -> None:
    (given,) = re.findall(r"--rev-id (\d{4})", contributing())
    last = max(path.name[:4] for path in (ROOT / "alembic/versions").glob("*.py"))
    assert int(given) == int(last) + 1


def test_a_new_column_takes_five_files(tmp_path: Path) -> None:
    """By the recipe, on a copy of the checkout: it is imported, shown and exported."""
    recipe = dict(RECIPES.findall(contributing()))["Add a column"]
    steps = [PATH.findall(step)[0] for step in re.split(r"^\d\. ", recipe, flags=re.MULTILINE)[1:]]
    assert steps == [
        "alembic/versions/",
        "db/tables/jobs.py",
        "db/transfer/records.py",
        "schema/jobs.py",
        "schema.graphql",
    ]
    for name in ("db", "schema", "resolvers"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    edits = {
        "db/tables/jobs.py": (
            '    PrimaryKeyConstraint("org_id", "id", name="pk_job"),',
            '    Column("host", Text),\n',
        ),
        "db/transfer/records.py": (
            "    events: list[EventRecord]",
            "    host: Label | None = None\n",
        ),
        "schema/jobs.py": (
            "    requested_by: str | None = ",
            '    host: str | None = strawberry.field(description="Its host.")\n',
        ),
    }
    assert set(edits) == set(steps[1:4])
    for path, (before, added) in edits.items():
        text = (tmp_path / path).read_text()
        assert text.count(before) == 1
        (tmp_path / path).write_text(text.replace(before, added + before))
    program = """
from db.transfer import exports, histories, loads
from db.transfer.records import parse
from schema.schema import sdl
line = b'{"type":"a","status":"queued","created_at":"2026-01-01T00:00:00Z","host":"h"}'
assert histories.complete(parse(line)[1]).job.host == "h"
assert "host" in exports._JOB_FIELDS and "host" in loads._JOB_COLUMNS
assert "Its host." in sdl()
"""
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)

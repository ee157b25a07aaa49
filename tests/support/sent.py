"""Records the statements that the program sends, and which of its functions sent them.

`--statements FOLDER` turns it on: each process writes what it recorded into a file of its own.
"""

import ast
import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from asyncpg.connection import Connection

ROOT = Path(__file__).parents[2]
FOLDERS = ("db", "mirror", "server")
# Whose calls send statements, whatever object has them.
SENDING = (
    "execute",
    "executemany",
    "fetch",
    "fetchrow",
    "fetchval",
    "prepare",
    "cursor",
    "scalars",
)
# What passes on the statements of others.
READING = ("prepare", "read", "read_all", "read_one", "change_with_events")
_places: dict[str, str | None] = {}
sent: defaultdict[str, set[str]] = defaultdict(set)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--statements", help="the folder for records of the statements that are sent")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--statements"):
        for name in (
            "execute",
            "executemany",
            "fetch",
            "fetchrow",
            "fetchval",
            "prepare",
            "cursor",
        ):
            setattr(Connection, name, _recording(getattr(Connection, name)))


def pytest_unconfigure(config: pytest.Config) -> None:
    folder = config.getoption("--statements")
    if folder and sent:
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        recorded = {sql: sorted(functions) for sql, functions in sent.items()}
        (path / f"{os.getpid()}.json").write_text(json.dumps(recorded))


def load(folder: Path) -> dict[str, set[str]]:
    """Load what all processes recorded: the functions that sent each statement."""
    loaded: defaultdict[str, set[str]] = defaultdict(set)
    for path in folder.glob("*.json"):
        for sql, functions in json.loads(path.read_text()).items():
            loaded[sql] |= set(functions)
    return loaded


def sending_functions() -> Iterator[str]:
    """Yield the functions of the program that send statements, as they are recorded."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.AsyncFunctionDef) and any(map(_sends, ast.walk(node))):
                    yield f"{path.relative_to(ROOT)}:{node.name}"


def _sends(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute):
        return node.func.attr in SENDING
    return isinstance(node.func, ast.Name) and node.func.id in READING


def _recording(original: Any) -> Any:
    @wraps(original)
    def record(self: Any, query: str, *args: Any, **options: Any) -> Any:
        sent[query].update(_functions())
        return original(self, query, *args, **options)

    return record


def _functions() -> list[str]:
    """Return the functions of the program that are running; none if a test sends by itself."""
    found = []
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        if name not in _places:
            _places[name] = _place(name)
        place = _places[name]
        if place == "tests":
            break
        if place is not None:
            found.append(f"{place}:{frame.f_code.co_name}")
        frame = frame.f_back
    return found


def _place(name: str) -> str | None:
    path = Path(name)
    if not path.is_relative_to(ROOT) or ".venv" in path.parts:
        return None
    relative = path.relative_to(ROOT)
    if relative.parts[0] in FOLDERS:
        return str(relative)
    return "tests" if relative.parts[0] == "tests" else None

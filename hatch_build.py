"""Builds the wheel with one import name: each package of the checkout goes below `joblens/`.

At the top of site-packages, packages called `db` or `schema` would replace those of others. So the
wheel has `joblens.db`, `joblens.schema` and so on, and their absolute imports of each other are
rewritten: `from db.tables import job_table` becomes `from joblens.db.tables import job_table`.
Imports are found by the syntax tree, and no line is added or removed, so tracebacks stay right.
An editable install is the checkout as it is.
"""

import ast
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PUBLIC = "joblens"
PACKAGES = ("db", "demo", "mirror", "resolvers", "schema", "server")

# Migrations are no package: at the top level they would shadow the library of that name.
MIGRATIONS = ("alembic", "db/alembic")
IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc")


class OneImportName(BuildHookInterface[Any]):
    """Puts rewritten copies of the packages into the wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the copies, and have them included."""
        if version == "editable":
            return
        root = Path(self.root)
        self._copies = Path(tempfile.mkdtemp(prefix="joblens-wheel-"))
        copies = self._copies / PUBLIC
        shutil.copytree(root / PUBLIC, copies, ignore=IGNORED)
        for package in PACKAGES:
            shutil.copytree(root / package, copies / package, ignore=IGNORED)
        source, target = MIGRATIONS
        shutil.copytree(root / source, copies / target, ignore=IGNORED)
        for path in sorted(copies.rglob("*.py")):
            path.write_bytes(rewritten(path.read_bytes(), str(path.relative_to(copies))))
        build_data["force_include"][str(copies)] = PUBLIC

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Remove the copies."""
        if version != "editable":
            shutil.rmtree(self._copies)


def rewritten(source: bytes, name: str) -> bytes:
    """Put `joblens.` before the packages in absolute imports.

    Raises SyntaxError for `import db.x`, which binds the name `db`: write `from db import x`.
    """
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    places = sorted(starts[row - 1] + column for row, column in _places(source, name))
    parts, end = [], 0
    for place in places:
        parts += [source[end:place], PUBLIC.encode(), b"."]
        end = place
    return b"".join([*parts, source[end:]])


def _places(source: bytes, name: str) -> Iterator[tuple[int, int]]:
    """Find where names of packages begin in imports: rows from 1, columns in bytes."""
    for node in ast.walk(ast.parse(source, name)):
        if isinstance(node, ast.ImportFrom) and not node.level and _is_ours(node.module):
            yield node.lineno, node.col_offset + len("from ")
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if _is_ours(alias.name):
                    if alias.asname is None:
                        detail = (name, alias.lineno, alias.col_offset, alias.name)
                        raise SyntaxError(f"import {alias.name}: use 'from … import …'", detail)
                    yield alias.lineno, alias.col_offset


def _is_ours(module: str | None) -> bool:
    return module is not None and module.partition(".")[0] in PACKAGES

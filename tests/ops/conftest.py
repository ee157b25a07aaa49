"""What the tests of `ops/` need: its YAML files as they are read, and programs that check them."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.checkout import ROOT

OPS = ROOT / "ops"
# An environment of its own: `make test-ops` makes it.
PROGRAMS = ROOT / ".venv" / "ops" / "bin"
READ = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))"


def documents(path: Path) -> list[Any]:
    """Read the documents of a YAML file."""
    read = subprocess.run(
        [PROGRAMS / "python", "-c", READ, path], check=True, capture_output=True, text=True
    )
    found: list[Any] = json.loads(read.stdout)
    return found


def program(name: str, package: str) -> str:
    """Get the path of a program of the system. Without it, a test fails: it is not skipped."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is missing: apt-get install {package}")
    return found

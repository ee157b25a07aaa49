"""The job histories of a real service, which a machine may have beside its checkout."""

import gzip
import os
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.support.checkout import ROOT

# `TRACE_FOLDER` names another folder.
FOLDER = Path(os.environ.get("TRACE_FOLDER", ROOT.parent / "shared" / "data"))
FILE = FOLDER / "gentd26-jobs.ndjson.gz"
ABSENT = not FILE.exists() and not os.environ.get("CI")

needs_trace = pytest.mark.skipif(ABSENT, reason=f"{FILE.name} is not on this machine")


def trace_lines() -> list[bytes]:
    """Read the file: a record a line, as `joblens import` reads it."""
    return gzip.decompress(FILE.read_bytes()).splitlines()


def trace_records() -> list[dict[str, Any]]:
    """Parse the records."""
    return [orjson.loads(line) for line in trace_lines()]

"""The how-to's examples run as they stand, one after another, as in one program."""

import ast
import inspect
import os
import re
import subprocess
import sys
from typing import Any

import pytest

from db.connections import POOLER
from tests.support.checkout import ROOT

PAGE = ROOT / "docs" / "how-to" / "record-jobs-from-python.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _run_program(program: str, database_url: str) -> str:
    """Run a file of its own, as its reader does; get what it prints."""
    done = subprocess.run(
        [sys.executable, "-"],
        input=program,
        env={
            "JOBLENS_DATABASE_URL": database_url,
            POOLER: os.environ.get(POOLER, ""),
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


async def run(block: str, names: dict[str, Any]) -> None:
    code = compile(block, str(PAGE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    running = eval(code, names)
    if inspect.iscoroutine(running):
        await running


async def test_the_examples_run(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JOBLENS_DATABASE_URL", database_url)
    program, *pieces = BLOCK.findall(PAGE.read_text())
    shown = [_run_program(program, database_url) for _ in range(2)]
    # As `from shop import *` gives it.
    names: dict[str, Any] = {"__name__": "shop"}
    for block in (program, *pieces):
        await run(block, names)
    created = names["created"]
    assert shown == [f"{created.job.id} True\n", f"{created.job.id} False\n"]
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "succeeded"
    assert printed[-1] == "True"
    assert names["retried"].status == "queued"
    assert names["retried"].scheduled_at is not None
    assert len(names["many"]) == len(names["first"]) + len(names["rest"]) == 3
    assert [job.type for job in names["due"]] == ["image.resize"] * 3
    assert names["resizing"] == names["due"]
    assert names["done"] == [names["job"].id]

"""The how-to's examples run as they stand, one after another, as in one program."""

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "record-jobs-from-python.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


async def run(block: str, names: dict[str, Any]) -> None:
    code = compile(block, str(PAGE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    running = eval(code, names)
    if inspect.iscoroutine(running):
        await running


async def test_the_examples_run(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JOBLENS_DATABASE_URL", database_url)
    names: dict[str, Any] = {}
    for block in BLOCK.findall(PAGE.read_text()):
        await run(block, names)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == f"{names['made'].job.id} True"
    assert printed[1] == "succeeded"
    assert printed[-1] == "True"
    assert names["retried"].status == "queued"
    assert names["retried"].scheduled_at is not None
    assert len(names["many"]) == len(names["first"]) + len(names["rest"]) == 3
    assert [job.type for job in names["due"]] == ["image.resize"] * 3
    assert names["resizing"] == names["due"]
    assert names["done"] == [names["job"].id]

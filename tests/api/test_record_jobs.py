"""The programs of the how-to on recording jobs run as they stand, and print what it says."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.node import node
from tests.patience import PATIENCE_SECONDS
from tests.service import Service

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "record-jobs.md").read_text()
HERE = "http://127.0.0.1:8000"


def program(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert HERE in found
    return str(found)


def shown(heading: str) -> list[str]:
    """Get what the page says that the program under this heading prints."""
    output = PAGE.partition(heading)[2].partition("prints\n\n```\n")[2].partition("```")[0]
    return output.splitlines()


async def printed(service: Service, code: str, *command: str) -> list[str]:
    """Run a program against the service, from its standard input."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    here = code.replace(HERE, str(service.client.base_url).rstrip("/"))
    async with asyncio.timeout(PATIENCE_SECONDS):
        output, errors = await process.communicate(here.encode())
    assert (process.returncode, errors.decode()) == (0, "")
    return output.decode().splitlines()


@pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "curl", "jq"))), reason="needs bash, curl and jq"
)
async def test_curl(service: Service) -> None:
    lines = [json.loads(line) for line in await printed(service, program("bash"), "bash")]
    promised = [json.loads(line) for line in shown("## With curl")]
    assert lines[-1]["job"].pop("scheduledAt") is not None
    del promised[-1]["job"]["scheduledAt"]
    assert lines == promised


async def test_javascript(service: Service) -> None:
    lines = await printed(service, program("js"), node(), "--input-type=module", "-")
    assert lines == shown("## With JavaScript")


async def test_python(service: Service) -> None:
    lines = await printed(service, program("python"), sys.executable, "-")
    assert len(lines) == 3
    assert all(f"prints three times `{line}`" in PAGE for line in lines)

"""The programs of the how-to on recording jobs run as they stand, and print what it says."""

import asyncio
import json
import re
import shutil
import subprocess
import sys

import pytest

from tests.support.checkout import ROOT
from tests.support.effort import first
from tests.support.node import node
from tests.support.patience import PATIENCE_SECONDS
from tests.support.service import Service

PAGE = (ROOT / "docs" / "how-to" / "record-jobs.md").read_text()
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


# What a run may come to, in the words of each language; and the code of the error that it is.
ENDS = {
    "a long message": (
        'throw new TypeError("x".repeat(2e6))',
        "raise TypeError('x' * 2_000_000)",
        "TypeError",
    ),
    "half an emoji": ("throw new TypeError('\\ud83d')", "raise TypeError('\\ud83d')", "TypeError"),
    "NUL": ("throw new TypeError('a\\0b')", "raise TypeError('a\\0b')", "TypeError"),
    "no words": ("throw new TypeError()", "raise TypeError", "TypeError"),
    "a large result": ('return "x".repeat(3e5)', "return 'x' * 300_000", None),
    "a huge result": ('return "x".repeat(2e6)', "return 'x' * 2_000_000", None),
    "NUL in the result": ("return 'a\\0b'", "return 'a\\0b'", "InvalidResult"),
    "a result that is no JSON": ("return 10n", "return {1}", "TypeError"),
    "a result that is no number": ("throw new RangeError()", "return float('nan')", None),
}


@pytest.mark.parametrize("end", first(2, ENDS))
@pytest.mark.parametrize("language", ["js", "python"])
async def test_the_programs_lose_no_failure(service: Service, language: str, end: str) -> None:
    in_js, in_python, code = ENDS[end]
    if language == "js":
        fails = program("js").replace('throw new TypeError("no such template")', in_js)
        await printed(service, fails, node(), "--input-type=module", "-")
        type_, count = "invoice.render", 1
    else:
        fails = program("python").replace('return {"rows": 42}', in_python)
        await printed(service, fails, sys.executable, "-")
        type_, count = "report.build", 3
    newest = (
        "query ($t: String, $n: Int) { jobs(filter: {type: {eq: $t}}, first: $n) { nodes { %s } } }"
    )
    fields = "status lastErrorCode attempts { outcome errorCode }"
    jobs = (await service.query(newest % fields, {"t": type_, "n": count}))["jobs"]["nodes"]
    assert len(jobs) == count
    for job in jobs:
        assert job["status"] == ("QUEUED" if language == "js" else "FAILED")
        assert job["attempts"][0]["outcome"] == "FAILED"
        assert code is None or job["lastErrorCode"] == job["attempts"][0]["errorCode"] == code

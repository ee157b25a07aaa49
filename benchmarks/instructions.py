"""Counts a process's instructions by Valgrind's callgrind, where the system has it.

Unlike processor time the count does not depend on what else the machine does. It says nothing of
caches and of the kernel.
"""

import asyncio
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_TOTALS = re.compile(r"^totals: (\d+)", re.MULTILINE)


class Callgrind:
    """`prefix`: the words before a command that is to be counted, from `begin` on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.prefix = (
            "valgrind",
            "--tool=callgrind",
            "--instr-atstart=no",
            f"--callgrind-out-file={folder / 'counts'}",
        )

    async def begin(self, pid: int) -> None:
        """Begin to count."""
        await self._control("-i", "on", str(pid))
        await self.count(pid)

    async def count(self, pid: int) -> int:
        """Return the process's instructions since the last time."""
        await self._control("-d", str(pid))
        newest = max(self._folder.iterdir(), key=lambda each: int(each.suffix[1:] or 0))
        found = _TOTALS.search(newest.read_text())
        assert found is not None
        return int(found[1])

    async def _control(self, *words: str) -> None:
        process = await asyncio.create_subprocess_exec(
            "callgrind_control",
            *words,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        if await process.wait():
            raise RuntimeError("callgrind_control failed")


@contextmanager
def callgrind() -> Iterator[Callgrind | None]:
    """Yield what counts instructions; None where Valgrind is not installed."""
    if shutil.which("valgrind") is None:
        yield None
        return
    with TemporaryDirectory() as folder:
        yield Callgrind(Path(folder))

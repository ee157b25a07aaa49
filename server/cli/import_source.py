"""The lines of a file to import, plain or gzip, in bounded memory; and those that are refused."""

import gzip
import itertools
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from typing import BinaryIO, cast

from rich.console import Console

from db.transfer import MAX_LINE_BYTES, Rejection

TOLD_REFUSALS = 20

_GZIP_MAGIC = b"\x1f\x8b"


class RejectsFile:
    """The lines that are not imported: the first are told, all are counted and kept."""

    def __init__(self, console: Console, keep: BinaryIO | None) -> None:
        self.count = 0
        self._console = console
        self._keep = keep

    def add(self, rejection: Rejection) -> None:
        """Tell and keep one line, verbatim."""
        self.tell(rejection.line_number, rejection.reason)
        self.keep(rejection.line if rejection.line.endswith(b"\n") else rejection.line + b"\n")

    def tell(self, line_number: int, reason: str) -> None:
        """Count a line, and say why it is refused unless many were before it."""
        self.count += 1
        if self.count <= TOLD_REFUSALS:
            self._print(f"line {line_number}: {reason}")

    def tell_rest(self) -> None:
        """Say how many there are beyond those that were told."""
        if self.count > TOLD_REFUSALS:
            self._print(f"and {self.count - TOLD_REFUSALS:,} more")

    def keep(self, part: bytes) -> None:
        """Write a line, or a part of a long one, to the file of refused lines."""
        if self._keep is not None:
            self._keep.write(part)

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class ImportSource:
    """An open file of lines. `size` and `position` are bytes of the file as it is stored."""

    def __init__(self, raw: BufferedReader) -> None:
        self._raw = raw
        is_gzip = raw.peek(len(_GZIP_MAGIC)).startswith(_GZIP_MAGIC)
        self._text = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if is_gzip else raw
        status = os.fstat(raw.fileno())
        self.size = status.st_size if stat.S_ISREG(status.st_mode) else None

    @property
    def position(self) -> int:
        return self._raw.tell() if self.size is not None else 0

    def lines(self, refusals: RejectsFile) -> Iterator[bytes]:
        """Yield each line; for one that is too long to be read whole, refused here, a blank one."""
        for number in itertools.count(1):
            line = self._text.readline(MAX_LINE_BYTES)
            if not line:
                return
            if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
                refusals.tell(number, f"is longer than {MAX_LINE_BYTES // 1024**2} MiB")
                refusals.keep(line)
                self._skip_line(refusals)
                yield b"\n"
            else:
                yield line

    def _skip_line(self, refusals: RejectsFile) -> None:
        part = b" "
        while part and not part.endswith(b"\n"):
            part = self._text.readline(MAX_LINE_BYTES)
            refusals.keep(part or b"\n")


@contextmanager
def open_source(path: str) -> Iterator[ImportSource]:
    """Open the file at `path`, or standard input for `-`. Raises OSError."""
    if path == "-":
        yield ImportSource(cast("BufferedReader", sys.stdin.buffer))
        return
    with open(path, "rb") as raw:  # noqa: PTH123 - mypy knows what this returns
        yield ImportSource(raw)

"""Read the lines of a file to import, plain or gzip, in bounded memory; write rejected ones."""

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

MAX_REPORTED = 20

_GZIP_MAGIC = b"\x1f\x8b"


class RejectsFile:
    """The rejected lines: the first are reported, all are counted and written to a file."""

    def __init__(self, console: Console, file: BinaryIO | None) -> None:
        self.count = 0
        self._console = console
        self._file = file

    def add(self, rejection: Rejection) -> None:
        """Report and write a line, unchanged."""
        self.report(rejection.line_number, rejection.reason)
        self.write(rejection.line if rejection.line.endswith(b"\n") else rejection.line + b"\n")

    def report(self, line_number: int, reason: str) -> None:
        """Count a line, and print why it is rejected, up to MAX_REPORTED lines."""
        self.count += 1
        if self.count <= MAX_REPORTED:
            self._print(f"line {line_number}: {reason}")

    def report_rest(self) -> None:
        """Print the number of lines that were not reported."""
        if self.count > MAX_REPORTED:
            self._print(f"and {self.count - MAX_REPORTED:,} more")

    def write(self, data: bytes) -> None:
        """Write a line, or a piece of a long one, to the file of rejected lines."""
        if self._file is not None:
            self._file.write(data)

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

    def lines(self, rejects: RejectsFile) -> Iterator[bytes]:
        """Yield each line; a blank one for a line that is too long, which is rejected here."""
        for number in itertools.count(1):
            line = self._text.readline(MAX_LINE_BYTES)
            if not line:
                return
            if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
                rejects.report(number, f"is longer than {MAX_LINE_BYTES // 1024**2} MiB")
                rejects.write(line)
                self._skip_line(rejects)
                yield b"\n"
            else:
                yield line

    def _skip_line(self, rejects: RejectsFile) -> None:
        piece = b" "
        while piece and not piece.endswith(b"\n"):
            piece = self._text.readline(MAX_LINE_BYTES)
            rejects.write(piece or b"\n")


@contextmanager
def open_source(path: str) -> Iterator[ImportSource]:
    """Open the file at `path`, or standard input for `-`. Raises OSError."""
    if path == "-":
        yield ImportSource(cast("BufferedReader", sys.stdin.buffer))
        return
    with open(path, "rb") as raw:  # noqa: PTH123 - mypy knows what this returns
        yield ImportSource(raw)

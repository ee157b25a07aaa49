"""Spool: facts that have not been sent, in files, so that they outlive a killed process.

Each process has a file of its own, which it holds a lock of. What a file without a lock has was
left by a process that ended; another one of the same source sends it. A write to a file is in the
system's memory once it returns: a SIGKILL does not undo it, and no disk is waited for.
"""

import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import ENOSPC
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

# Windows has none.
fcntl: Any = import_module("fcntl") if os.name == "posix" else None

_SUFFIX = ".facts"
# Of one file: it is removed once all of its facts have been sent.
_PAGE_FACTS, _PAGE_BYTES = 500, 500_000
# Those of a source that nothing reports of any more.
_MAX_AGE_SECONDS = 86_400
# Memory, where the system has a folder of it, so that no disk makes a job wait. In Kubernetes it
# outlives the container.
_MEMORY = "/dev/shm"  # noqa: S108 - the folder in it has a fixed owner and mode
# The files of this process: a lock of POSIX does not keep its own process away.
_own: set[str] = set()


class Page:
    """One file, and how many facts of it have not been sent."""

    def __init__(self, folder: Path, key: str) -> None:
        name = f"{key}-{os.getpid()}-{os.urandom(6).hex()}{_SUFFIX}"
        self._path, hidden = folder / name, folder / f".{name}"
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(hidden, flags, 0o600)
        fcntl.lockf(self._file, fcntl.LOCK_EX)
        _own.add(name)
        # Only with its lock may others see it.
        hidden.rename(self._path)
        self.size = self.added = self.facts = 0

    @property
    def is_full(self) -> bool:
        """Whether the next fact belongs to another one."""
        return self.added >= _PAGE_FACTS or self.size >= _PAGE_BYTES

    def add(self, text: str) -> None:
        """Write a fact."""
        line = text.encode() + b"\n"
        if os.write(self._file, line) != len(line):
            raise OSError(ENOSPC, "A fact was cut short", str(self._path))
        self.size += len(line)
        self.added += 1
        self.facts += 1

    def clear(self) -> None:
        """Forget facts, all of which have been sent."""
        os.ftruncate(self._file, 0)
        self.size = self.added = 0

    def remove(self) -> None:
        """Remove the file."""
        self._path.unlink()
        _own.discard(self._path.name)
        self.close()

    def close(self) -> None:
        """Close it in a process that was forked, which has no lock of it."""
        with suppress(OSError):
            os.close(self._file)


class Spool:
    """The files of one process, and those that others left."""

    def __init__(self, folder: Path, *owner: str | None) -> None:
        self._folder = folder
        self._key = sha256(repr(owner).encode()).hexdigest()[:24]
        self._page = Page(folder, self._key)

    def add(self, text: str) -> Page:
        """Write a fact; return its page, which is to be given to `sent`."""
        if self._page.is_full:
            full, self._page = self._page, Page(self._folder, self._key)
            self._sweep(full)
        self._page.add(text)
        return self._page

    def sent(self, page: Page) -> None:
        """Note that a fact of a page has been sent, or given up."""
        page.facts -= 1
        self._sweep(page)

    def _sweep(self, page: Page) -> None:
        if page.facts == 0 and page is self._page:
            page.clear()
        elif page.facts == 0:
            page.remove()

    def close(self) -> None:
        """Leave the current file, in a forked process, to the one that made it."""
        self._page.close()

    def left(self) -> Iterator[tuple[list[str], float]]:
        """Yield what ended processes left, and its age in seconds; remove it when continued."""
        for path in self._folder.iterdir():
            if path.name in _own or path.suffix != _SUFFIX:
                continue
            with suppress(OSError), _locked(path) as file:
                age = max(0.0, time.time() - os.fstat(file).st_mtime)
                is_ours = path.name.startswith(self._key)
                if is_ours and (lines := _lines(file)):
                    yield lines, age
                if is_ours or age > _MAX_AGE_SECONDS:
                    path.unlink()


def start_over() -> None:
    """Forget the files of the process that this one was forked from."""
    _own.clear()


def opened(folder: str | None, *owner: str | None) -> Spool | None:
    """Open the spool of this process in a folder; None: where no file can be written."""
    if fcntl is None:
        return None
    for each in [_MEMORY, tempfile.gettempdir()] if folder is None else [folder]:
        with suppress(OSError):
            return Spool(_private(each), *owner)
    return None


def _private(folder: str) -> Path:
    """Return a folder that only this user can read: facts may hold arguments of jobs."""
    path = Path(folder) / f"joblens-client-{os.getuid()}"
    with suppress(FileExistsError):
        path.mkdir(0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(str(path))
    return path


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Open a file that no process holds; OSError if one does."""
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield file
    finally:
        os.close(file)


def _lines(file: int) -> list[str]:
    with open(file, "rb", closefd=False) as opened_:
        # The last one may have been cut short by a full disk.
        return [line.decode() for line in opened_ if line.endswith(b"}\n")]

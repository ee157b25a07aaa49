"""File locks that record which processes use the embedded server.

The operating system releases the locks of a process that ends, so dead processes do not count.
"""

import itertools
import os
import sys
import time
from pathlib import Path
from typing import BinaryIO

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int, *, wait: bool) -> None:
        while True:
            try:
                return msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            except OSError:
                if not wait:
                    raise BlockingIOError from None
                time.sleep(0.1)
else:
    import fcntl

    def _lock(descriptor: int, *, wait: bool) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


_numbers = itertools.count(1)


def hold(path: Path) -> BinaryIO:
    """Lock the file `path`, created if missing, until the returned file is closed."""
    return _locked(path, wait=True)


def try_to_hold(path: Path) -> BinaryIO | None:
    """Lock the file `path` as `hold` does; None if another process holds it."""
    try:
        return _locked(path, wait=False)
    except BlockingIOError:
        return None


def _locked(path: Path, *, wait: bool) -> BinaryIO:
    # Every user who can open a file can lock it, so other users must not.
    file = os.fdopen(os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600), "ab")
    try:
        _lock(file.fileno(), wait=wait)
    except BaseException:
        file.close()
        raise
    return file


def join(directory: Path) -> BinaryIO:
    """Register this process as a member of `directory` until the returned file is closed.

    The caller must hold the lock under which `has_members` is called, because the member's file is
    created before it is locked.
    """
    directory.mkdir(mode=0o700, exist_ok=True)
    # Containers that share a directory may have the same process ids.
    while True:
        path = directory / f"{os.getpid()}-{next(_numbers)}"
        member = try_to_hold(path)
        if member is not None:
            return member


def has_members(directory: Path) -> bool:
    """Return whether a running process is a member; remove the files of former members."""
    if not directory.is_dir():
        return False
    is_used = False
    for path in directory.iterdir():
        file = try_to_hold(path)
        if file is None:
            is_used = True
        else:
            file.close()
            path.unlink()
    return is_used

"""Who uses the embedded server, told by locked files.

The system frees a lock when its process ends, however it ends, so nobody dead is ever counted.
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
    """Lock the file `path`, made if missing, until the returned file is closed."""
    return _locked(path, wait=True)


def try_to_hold(path: Path) -> BinaryIO | None:
    """Lock the file `path` as `hold` does; None where another holds it."""
    try:
        return _locked(path, wait=False)
    except BlockingIOError:
        return None


def _locked(path: Path, *, wait: bool) -> BinaryIO:
    # A user who may open a file may lock it: others shall not.
    file = os.fdopen(os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600), "ab")
    try:
        _lock(file.fileno(), wait=wait)
    except BaseException:
        file.close()
        raise
    return file


def join(directory: Path) -> BinaryIO:
    """Count as a member of `directory` until the returned file is closed.

    The caller holds the lock under which `has_members` is asked too: a file is made first, locked
    a moment later.
    """
    directory.mkdir(mode=0o700, exist_ok=True)
    # Process ids repeat across containers that share a directory.
    while True:
        path = directory / f"{os.getpid()}-{next(_numbers)}"
        member = try_to_hold(path)
        if member is not None:
            return member


def has_members(directory: Path) -> bool:
    """Tell whether anybody alive is a member; what the dead and the departed left is removed."""
    if not directory.is_dir():
        return False
    alive = False
    for path in directory.iterdir():
        file = try_to_hold(path)
        if file is None:
            alive = True
        else:
            file.close()
            path.unlink()
    return alive

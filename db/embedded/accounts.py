"""Whom PostgreSQL runs as: the user who starts it, but never root, whom it refuses."""

import grp
import os
import pwd
import stat
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from db.embedded import locks
from db.embedded.errors import EmbeddedError

# The name that the package with PostgreSQL's programs gives to such a user too.
SYSTEM_USER = "pgserver"
# In a folder where only root may make files, so that no link of another user stands in its place.
LOCK = Path("/run/joblens-useradd.lock")
# useradd could not lock the files of users or groups, or somebody else just makes this name.
BUSY = {1, 9, 10}
USERADD = ("useradd", "--system", "--no-create-home", "--shell", "/bin/false")
PATIENCE_SECONDS = 60
PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Account:
    """A user that root starts PostgreSQL as."""

    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Give the file or folder to this user."""
        os.chown(path, self.uid, self.gid)

    def groups_to_reach(self, paths: Iterable[Path]) -> list[int]:
        """Get the groups that lead this user to `paths`, through folders such as /root.

        Such folders become passable for their own group, which is root's as a rule: for the world
        they stay as closed as they were.
        """
        closed = {
            folder
            for path in paths
            for folder in path.parents
            if not folder.stat().st_mode & stat.S_IXOTH and folder.stat().st_uid != self.uid
        }
        for folder in closed:
            mode = stat.S_IMODE(folder.stat().st_mode)
            if not mode & stat.S_IXGRP:
                folder.chmod(mode | stat.S_IXGRP)
        return sorted({folder.stat().st_gid for folder in closed})


def account_for(cluster: Path) -> Account | None:
    """Get whom root starts the server of `cluster` as: its owner, else a system user.

    None where this process is not root's and the server can simply be its child.
    """
    if os.geteuid() != 0:
        return None
    if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    entry = _system_user()
    return Account(entry.pw_uid, entry.pw_gid)


def _system_user() -> pwd.struct_passwd:
    found = _find_system_user()
    if found is None:
        try:
            # One at a time: of two useradd at once, both may find the name free, and the later one
            # then gives it another id.
            with locks.hold(LOCK):
                found = _find_system_user() or _make_system_user()
        except OSError as error:
            raise _cannot_make(str(error)) from None
    return found


def _find_system_user() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        return None


def _make_system_user() -> pwd.struct_passwd:
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        done = subprocess.run(  # noqa: S603 - fixed words
            [*USERADD, *_group(), SYSTEM_USER],
            check=False,
            capture_output=True,
            text=True,
        )
        if found := _find_system_user():
            return found
        busy = done.returncode in BUSY and os.access("/etc", os.W_OK)
        if not busy or time.monotonic() > until:
            raise _cannot_make(" ".join(done.stderr.split()) or f"status {done.returncode}")
        time.sleep(PAUSE_SECONDS)


def _group() -> list[str]:
    """Get the words that take a group of the user's name where there is one without the user."""
    try:
        return ["--gid", str(grp.getgrnam(SYSTEM_USER).gr_gid)]
    except KeyError:
        return ["--user-group"]


def _cannot_make(reason: str) -> EmbeddedError:
    return EmbeddedError(
        f"PostgreSQL refuses to run as root, and the user {SYSTEM_USER} could not be made "
        f"({reason}); make it, or run as another user"
    )

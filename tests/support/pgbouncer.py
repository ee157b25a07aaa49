"""A real PgBouncer in front of a PostgreSQL, on a Unix socket in a folder of its own."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from tests.support.patience import PATIENCE_SECONDS

PORT = 6432
INSTALL = "there is no pgbouncer: on Debian, apt-get install pgbouncer"


def program() -> str | None:
    """Find the program, which Debian installs where only root looks."""
    return shutil.which("pgbouncer", path=os.environ.get("PATH", "") + ":/usr/sbin")


class Bouncer:
    """`url` names a database of the server `cluster` by way of PgBouncer."""

    def __init__(self, cluster: str, folder: Path) -> None:
        self._cluster, self.folder = urlsplit(cluster), folder

    def through(self, url: str) -> str:
        """Return the URL of the same database through PgBouncer."""
        return self._at(url, urlencode({"host": str(self.folder), "port": PORT}))

    def around(self, url: str) -> str:
        """Return the URL of the same database without PgBouncer."""
        netloc, query = self._cluster.netloc.rpartition("@")[2], self._cluster.query
        return self._at(url, query, netloc)

    def is_named_by(self, url: Any) -> bool:
        """Whether a URL goes through PgBouncer."""
        return isinstance(url, str) and urlencode({"host": str(self.folder)}) in url

    def _at(self, url: str, query: str, netloc: str = "") -> str:
        parts = urlsplit(url)
        login = parts.netloc.rpartition("@")[0]
        return urlunsplit(parts._replace(netloc=f"{login}@{netloc}", query=query))

    def configuration(self, settings: dict[str, Any]) -> str:
        """Write pgbouncer.ini."""
        where = parse_qs(self._cluster.query)
        host = self._cluster.hostname or where["host"][0]
        port = self._cluster.port or where.get("port", ["5432"])[0]
        user = self._cluster.username or "postgres"
        chosen = {
            "unix_socket_dir": self.folder,
            "listen_port": PORT,
            "listen_addr": "",
            "auth_type": "trust",
            "auth_file": self.folder / "users.txt",
            # Looks up the logins that tests create.
            "auth_user": user,
            "pool_mode": "transaction",
            "default_pool_size": 30,
            "max_client_conn": 2_000,
            # Databases are dropped soon after their tests.
            "server_idle_timeout": 60,
            "logfile": self.folder / "log",
            "log_connections": 0,
            "log_disconnections": 0,
            **settings,
        }
        password = f" password={self._cluster.password}" if self._cluster.password else ""
        lines = "\n".join(f"{name} = {value}" for name, value in chosen.items())
        return f"[databases]\n* = host={host} port={port}{password}\n[pgbouncer]\n{lines}\n"

    def users(self) -> str:
        """Write the file of the login that looks up the others."""
        return f'"{self._cluster.username or "postgres"}" "{self._cluster.password or ""}"\n'


@contextmanager
def pgbouncer(cluster: str, folder: Path | None = None, **settings: Any) -> Iterator[Bouncer]:
    """Run a PgBouncer in front of a server; `settings` as in pgbouncer.ini."""
    found = program()
    assert found is not None, INSTALL
    folder = folder or Path(tempfile.mkdtemp(prefix="joblens-bouncer-"))
    bouncer = Bouncer(cluster, folder)
    (folder / "pgbouncer.ini").write_text(bouncer.configuration(settings))
    (folder / "users.txt").write_text(bouncer.users())
    command = [found, "--quiet", str(folder / "pgbouncer.ini")]
    process = subprocess.Popen(command, **_account(cluster, folder))
    try:
        _wait(process, folder)
        yield bouncer
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (folder / f".s.PGSQL.{PORT}").exists():
        assert process.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _account(cluster: str, folder: Path) -> dict[str, Any]:
    """Return whom it runs as: it refuses to be root, and must reach the socket of the server."""
    if os.geteuid() != 0:
        return {}
    socket = parse_qs(urlsplit(cluster).query).get("host")
    owner = Path(socket[0]).stat().st_uid if socket else 0
    entry = pwd.getpwuid(owner) if owner else pwd.getpwnam("nobody")
    for path in (folder, *folder.iterdir()):
        os.chown(path, entry.pw_uid, entry.pw_gid)
    folder.chmod(0o755)
    # The folders above may be root's, with access for its group.
    groups = {each.stat().st_gid for each in Path(socket[0]).parents} if socket else set()
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": sorted(groups)}

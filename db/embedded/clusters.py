"""Creates, starts and stops a cluster on disk. db.embedded.server tracks its users."""

import hashlib
import os
import shlex
import shutil
import socket
import stat
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from db.embedded.errors import EmbeddedError
from db.embedded.programs import VERSION, ProgramError, run

if sys.platform != "win32":
    from db.embedded.accounts import account_for

PORT = 5432
LOG_LIMIT_BYTES = 1_000_000
START_ATTEMPTS = 3
PROBE_TIMEOUT_SECONDS = 5
SETTINGS = {
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # Clients get the errors of their statements; the log does not need them.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
}


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A running server: its address, and an identity that differs for each start."""

    host: str
    port: int
    identity: str

    def url(self, database: str) -> str:
        """Return the libpq URI of a database, with an explicit port because PGPORT may be set."""
        if self.host.startswith("/"):
            socket_dir = quote(self.host)
            return f"postgresql://postgres:@/{database}?host={socket_dir}&port={self.port}"
        return f"postgresql://postgres:@{self.host}:{self.port}/{database}"


def running(cluster: Path) -> Postmaster | None:
    """Get the server of `cluster`; None unless it runs and responds."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if len(lines) < 8 or lines[7].strip() != "ready":  # noqa: PLR2004 - the format of that file
        return None
    pid, _, started, port, socket_dir, host = (line.strip() for line in lines[:6])
    server = Postmaster(socket_dir or host, int(port), f"{pid} {started}")
    return server if _responds(server) else None


def create(cluster: Path) -> None:
    """Create the cluster if it does not exist, atomically. Raises EmbeddedError."""
    version = cluster / "PG_VERSION"
    if version.exists():
        if (data_version := version.read_text().strip()) != str(VERSION):
            raise EmbeddedError(
                f"the data in {cluster} is of PostgreSQL {data_version}, "
                f"but this Joblens has {VERSION}: move it away, or serve it with "
                f"PostgreSQL {data_version} and set JOBLENS_DATABASE_URL"
            )
        return
    if cluster.exists() and any(cluster.iterdir()):
        raise EmbeddedError(f"{cluster} is not empty, and not a PostgreSQL cluster")
    unfinished = cluster.with_name(cluster.name + ".new")
    for is_last_try in (False, True):
        shutil.rmtree(unfinished, ignore_errors=True)
        _make_owned_dir(unfinished, cluster)
        try:
            _initialize(unfinished)
        except ProgramError:
            # Another process that created the same user concurrently may have changed its id.
            if is_last_try:
                raise
        else:
            break
    unfinished.replace(cluster)


def _initialize(unfinished: Path) -> None:
    run(
        "initdb",
        "--username=postgres",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--no-instructions",
        f"--pgdata={unfinished}",
        cluster=unfinished,
    )


def start(cluster: Path) -> Postmaster:
    """Start the cluster's server, which must not run, and wait until it responds.

    Raises EmbeddedError.
    """
    _remove_stale_pid_file(cluster)
    log = cluster / "server.log"
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.unlink()
    socket_dir = cluster if sys.platform == "win32" else _socket_dir(cluster)
    arguments = ("--timeout=120", f"--log={log}", f"--options={_server_options(socket_dir)}")
    # Retried, because the children of a killed server take a moment to exit.
    for attempt in range(START_ATTEMPTS):
        time.sleep(attempt)
        try:
            _pg_ctl(cluster, "start", *arguments, reach=socket_dir)
        except ProgramError as error:
            failure = str(error)
        else:
            failure = "it does not respond"
        if server := running(cluster):
            return server
    raise EmbeddedError(
        f"the embedded PostgreSQL did not start: {_cause(log) or failure} (see {log})"
    )


def stop(cluster: Path) -> None:
    """Stop the cluster's server, disconnecting its clients, and wait until it has exited."""
    # Only if it responds: otherwise pg_ctl may signal another process with a reused id.
    if server := _running_soon(cluster):
        try:
            _pg_ctl(cluster, "stop", "--mode=fast", "--timeout=60")
        except ProgramError:
            if running(cluster):
                _pg_ctl(cluster, "stop", "--mode=immediate", "--timeout=60")
    _remove_socket_dir(cluster, server)


def _running_soon(cluster: Path) -> Postmaster | None:
    """Get the server as `running` does, waiting for one whose start was interrupted."""
    path = cluster / "postmaster.pid"
    for _ in range(50):
        if (server := running(cluster)) or not path.exists() or _was_ready(path):
            return server
        time.sleep(0.1)
    return None


def _was_ready(pid_file: Path) -> bool:
    return pid_file.read_text().rstrip().endswith("ready")


def _pg_ctl(cluster: Path, verb: str, *options: str, reach: Path | None = None) -> None:
    arguments = (verb, "--wait", "--silent", f"--pgdata={cluster}", *options)
    run("pg_ctl", *arguments, cluster=cluster, reach=reach)


def _responds(server: Postmaster) -> bool:
    # Tested by connecting: after a crash the process id in the file may have been reused.
    try:
        if sys.platform != "win32" and server.host.startswith("/"):
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(PROBE_TIMEOUT_SECONDS)
                probe.connect(f"{server.host}/.s.PGSQL.{server.port}")
                return _is_postgres(probe)
        address = (server.host, server.port)
        with socket.create_connection(address, timeout=PROBE_TIMEOUT_SECONDS) as probe:
            return _is_postgres(probe)
    except OSError:
        return False


def _is_postgres(probe: socket.socket) -> bool:
    # An SSLRequest, the shortest message with a response: the socket of a server that was just
    # killed still accepts connections.
    probe.sendall(b"\0\0\0\x08\x04\xd2\x16\x2f")
    return probe.recv(1) in {b"N", b"S"}


def _remove_stale_pid_file(cluster: Path) -> None:
    """Remove the pid file of a server that was ready and no longer responds.

    PostgreSQL does not start while any process has the id in it. If the old server still runs,
    PostgreSQL's lock on shared memory protects the data.
    """
    path = cluster / "postmaster.pid"
    if path.exists() and _was_ready(path):
        path.unlink()


def _server_options(socket_dir: Path) -> str:
    if sys.platform == "win32":
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = {"listen_addresses": "127.0.0.1", "port": str(free.getsockname()[1])}
    else:
        address = {
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_permissions": "0700",
            "unix_socket_directories": f'"{socket_dir}"',
        }
    arguments = [f"--{name}={value}" for name, value in (SETTINGS | address).items()]
    return " ".join(arguments) if sys.platform == "win32" else shlex.join(arguments)


def _socket_dir(cluster: Path) -> Path:
    """Return the directory of the server's socket: the cluster, or a temporary one if needed."""
    if _can_hold_socket(cluster):
        return cluster
    folder = _private_socket_dir(cluster)
    if not _can_hold_socket(folder):
        raise EmbeddedError(f"the path {folder} is too long for a socket; set a shorter TMPDIR")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        _make_owned_dir(folder, cluster)
    except FileExistsError:
        raise EmbeddedError(f"{folder} is in the way: remove it") from None
    return folder


def _can_hold_socket(folder: Path) -> bool:
    # Socket paths have at most 104 bytes on macOS, 108 on Linux; commas and quotes would split the
    # list of directories.
    path = f"{folder}/.s.PGSQL.{PORT}"
    return len(os.fsencode(path)) < 104 and not {",", '"'} & set(path)  # noqa: PLR2004


def _private_socket_dir(cluster: Path) -> Path:
    digest = hashlib.sha256(os.fsencode(cluster)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"joblens-{digest}"


def _remove_socket_dir(cluster: Path, stopped: Postmaster | None) -> None:
    folder = _private_socket_dir(cluster)
    # The process that started the server may have had another TMPDIR.
    if stopped and Path(stopped.host).name == folder.name:
        folder = Path(stopped.host)
    shutil.rmtree(folder, ignore_errors=True)


def _make_owned_dir(folder: Path, cluster: Path) -> None:
    """Create a directory that belongs to the account of the server of `cluster`."""
    folder.mkdir(mode=stat.S_IRWXU)
    if sys.platform != "win32" and (account := account_for(cluster)):
        account.own(folder)


def _cause(log: Path) -> str | None:
    """Return the last fatal message of the server's log."""
    if not log.exists():
        return None
    lines = log.read_text(errors="replace").splitlines()
    fatal = [line.partition("FATAL:")[2].strip() for line in lines if "FATAL:" in line]
    return fatal[-1] if fatal else None

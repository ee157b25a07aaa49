"""The embedded server, shared by processes: the first one starts it and the last one stops it.

In the data directory: `postgres/` (the cluster), `postgres.lock` (held while starting or stopping),
`postgres.users/` (a locked file for each process), `postgres.kept` (see `keep_running`).
"""

import asyncio
import atexit
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import asyncpg

from db.connections import connect
from db.embedded import clusters, locks
from db.embedded.errors import EmbeddedError

DATABASE = "joblens"


class EmbeddedPostgres:
    """The use of a running embedded server by a process. Created by `start()`."""

    def __init__(self, data_dir: Path, server: clusters.Postmaster, membership: BinaryIO) -> None:
        self.url = server.url(DATABASE)
        self._data_dir = data_dir
        self._server = server
        self._membership = membership
        self._process_id = os.getpid()
        atexit.register(self.stop)

    def stop(self) -> None:
        """End the use; the last process stops the server. Calling it again has no effect."""
        # A forked process has a copy of this object, but does not count as a user.
        if self._membership.closed or os.getpid() != self._process_id:
            return
        atexit.unregister(self.stop)
        with _locked(self._data_dir):
            self._membership.close()
            _stop_if_unused(self._data_dir)

    def keep_running(self) -> None:
        """Keep the server running without users, until `shutdown` or a reboot."""
        _kept(self._data_dir).write_text(self._server.identity)


def start(data_dir: Path) -> EmbeddedPostgres:
    """Start the server with the data in `data_dir`, or join it if it runs; create missing data.

    Blocks, for a second or two if the cluster must be created. Raises EmbeddedError.
    """
    data_dir = _absolute(data_dir)
    with _locked(data_dir):
        membership = locks.join(_users(data_dir))
        try:
            server = clusters.running(_cluster(data_dir)) or _started(data_dir)
            _create_database(server)
        except BaseException:
            membership.close()
            _stop_if_unused(data_dir)
            raise
        return EmbeddedPostgres(data_dir, server, membership)


def find(data_dir: Path) -> str | None:
    """Get the URL of the server; None if it does not run. Does not count as a use."""
    with _embedded_errors():
        server = clusters.running(_cluster(_absolute(data_dir)))
    return server.url(DATABASE) if server else None


def shutdown(data_dir: Path) -> bool:
    """Stop the server even if it is in use; return false if it did not run."""
    data_dir = _absolute(data_dir)
    if find(data_dir) is None:
        return False
    with _locked(data_dir):
        _kept(data_dir).unlink(missing_ok=True)
        clusters.stop(_cluster(data_dir))
    return True


def _started(data_dir: Path) -> clusters.Postmaster:
    clusters.create(_cluster(data_dir))
    return clusters.start(_cluster(data_dir))


def _stop_if_unused(data_dir: Path) -> None:
    if locks.has_members(_users(data_dir)):
        return
    kept = _kept(data_dir)
    if kept.exists():
        server = clusters.running(_cluster(data_dir))
        if server is not None and server.identity == kept.read_text():
            return
        # It was set for an earlier run, which ended without `shutdown`.
        kept.unlink()
    clusters.stop(_cluster(data_dir))


def _create_database(server: clusters.Postmaster) -> None:
    # In a thread, because the caller may be in a running event loop.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(_create_database_if_missing(server))).result()


async def _create_database_if_missing(server: clusters.Postmaster) -> None:
    connection = await connect(server.url("postgres"), "joblens setup")
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()


@contextmanager
def _locked(data_dir: Path) -> Iterator[None]:
    """Hold the lock for starting and stopping the server."""
    with _embedded_errors():
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locks.hold(data_dir / "postgres.lock"):
            yield


@contextmanager
def _embedded_errors() -> Iterator[None]:
    try:
        yield
    except (OSError, asyncpg.PostgresError) as error:
        raise EmbeddedError(f"the embedded PostgreSQL cannot be used: {error}") from error


def _absolute(data_dir: Path) -> Path:
    return data_dir.expanduser().resolve()


def _cluster(data_dir: Path) -> Path:
    return data_dir / "postgres"


def _users(data_dir: Path) -> Path:
    return data_dir / "postgres.users"


def _kept(data_dir: Path) -> Path:
    return data_dir / "postgres.kept"

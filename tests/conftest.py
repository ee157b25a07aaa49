"""The real parts that tests share: a PostgreSQL cluster, and migrated databases in it.

`JOBLENS_TEST_DATABASE_URL` names a server to use instead of the embedded one; its login must be
allowed to create databases and roles.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import settings

from db import embedded, migrations
from db.embedded import locks
from schema.execution.fallbacks import FALLBACKS
from tests.db import history
from tests.support.both_executors import Differences, comparing
from tests.support.effort import QUICK
from tests.support.pooled import around, pooled, through
from tests.support.service import Service, serving

# `--hypothesis-profile=long` chooses another one, after this.
settings.load_profile(QUICK)

GIVEN = "JOBLENS_TEST_DATABASE_URL"
FreshDatabase = Callable[[], Awaitable[str]]
Fill = Callable[[str], Awaitable[None]]


@pytest.fixture(scope="session", autouse=True)
def _differences() -> Iterator[Differences]:
    with comparing() as differences:
        yield differences


@pytest.fixture(autouse=True)
def _executors_agree(_differences: Differences) -> Iterator[None]:
    """Fail a test in which the executors' responses differ, or a query could not be compiled."""
    yield
    found, _differences[:] = list(_differences), []
    assert not found, "\n".join(found)
    assert set(+FALLBACKS) <= {"introspection", "setting"}


# What the processes of one test run share: the embedded cluster, and names of databases in it.
SHARED = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder of what is shared, unless a process that has made it said where it is."""
    told: dict[str, str] | None = getattr(config, "workerinput", None)
    # A short path: a Unix socket's may have no more than about a hundred bytes.
    config.stash[SHARED] = Path(told["shared"] if told else tempfile.mkdtemp(prefix="joblens-"))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process of pytest-xdist where the folder is."""
    node.workerinput["shared"] = str(node.config.stash[SHARED])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what was shared, once all processes have ended."""
    if hasattr(config, "workerinput"):
        return
    shared = config.stash[SHARED]
    if given := os.environ.get(GIVEN):
        for made in shared.glob("*.database"):
            asyncio.run(drop_database(given, made.read_text()))
    embedded.shutdown(shared)
    shutil.rmtree(shared)


@pytest.fixture(scope="session")
def shared(pytestconfig: pytest.Config) -> Path:
    return pytestconfig.stash[SHARED]


@pytest.fixture(scope="session")
async def cluster_url(shared: Path) -> AsyncIterator[str]:
    """A PostgreSQL server's URL: the one asked for, or an embedded one of this test run alone."""
    if given := os.environ.get(GIVEN):
        with pooled(given):
            yield given
        return
    server = embedded.start(shared)
    connection = await asyncpg.connect(server.url)
    # Nothing in it has to survive a crash.
    await connection.execute("ALTER SYSTEM SET fsync = off")
    await connection.execute("ALTER SYSTEM SET full_page_writes = off")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()
    with pooled(server.url):
        yield server.url
    server.stop()


def database_in(cluster: str, name: str) -> str:
    return through(urlunsplit(urlsplit(cluster)._replace(path=f"/{name}")))


async def create_database(
    cluster: str, template: str = "template0", strategy: str = "wal_log"
) -> str:
    name = f"joblens_test_{uuid4().hex}"
    connection = await asyncpg.connect(cluster)
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY {strategy}")
    await connection.close()
    return name


async def drop_database(cluster: str, name: str) -> None:
    connection = await asyncpg.connect(cluster)
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


async def made_once(cluster: str, shared: Path, name: str, template: str, fill: Fill) -> str:
    """Get the database of this name, which the first process that asks for it makes."""
    path = shared / f"{name}.database"
    with locks.hold(path.with_suffix(".lock")):
        if not path.exists():
            made = await create_database(cluster, template)
            # PgBouncer keeps connections, and a database in use cannot be copied.
            await fill(around(database_in(cluster, made)))
            path.write_text(made)
    return path.read_text()


@pytest.fixture(scope="session")
async def template(cluster_url: str, shared: Path) -> str:
    """The name of a migrated, empty database to copy from."""
    return await made_once(cluster_url, shared, "empty", "template0", migrations.upgrade)


@pytest.fixture(scope="module")
async def large_database_url(cluster_url: str, shared: Path, template: str) -> AsyncIterator[str]:
    """A database with a large history, that the tests of one module share."""
    large = await made_once(cluster_url, shared, "large", template, history.fill)
    # As files: through the log it would take seconds.
    name = await create_database(cluster_url, large, "file_copy")
    yield database_in(cluster_url, name)
    await drop_database(cluster_url, name)


@pytest.fixture
async def fresh_database(cluster_url: str, template: str) -> AsyncIterator[FreshDatabase]:
    """Makes new, migrated, empty databases, dropped after the test."""
    names: list[str] = []

    async def create() -> str:
        names.append(await create_database(cluster_url, template))
        return database_in(cluster_url, names[-1])

    yield create
    for name in names:
        await drop_database(cluster_url, name)


@pytest.fixture(scope="module")
async def database_url(cluster_url: str, template: str) -> AsyncIterator[str]:
    """A migrated database, empty at first, that the tests of one module share."""
    name = await create_database(cluster_url, template)
    yield database_in(cluster_url, name)
    await drop_database(cluster_url, name)


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[Service]:
    """One running Joblens for each module, on the module's own database."""
    async with serving(database_url) as running:
        yield running

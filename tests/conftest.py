"""The real parts that tests share: a PostgreSQL cluster, and migrated databases in it.

`JOBLENS_TEST_DATABASE_URL` names a server to use instead of the embedded one; its login must be
allowed to create databases and roles.
"""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest

from db import embedded, migrations

FreshDatabase = Callable[[], Awaitable[str]]


@pytest.fixture(scope="session")
def cluster_url() -> Iterator[str]:
    """A PostgreSQL server's URL: the one asked for, or an embedded one of this test run alone."""
    given = os.environ.get("JOBLENS_TEST_DATABASE_URL")
    if given:
        yield given
        return
    # A short path: a Unix socket's may have no more than about a hundred bytes.
    folder = Path(tempfile.mkdtemp(prefix="joblens-"))
    server = embedded.start(folder)
    yield server.url
    server.stop()
    shutil.rmtree(folder)


def database_in(cluster: str, name: str) -> str:
    return urlunsplit(urlsplit(cluster)._replace(path=f"/{name}"))


async def create_database(cluster: str, template: str = "template0") -> str:
    name = f"joblens_test_{uuid4().hex}"
    connection = await asyncpg.connect(cluster)
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    await connection.close()
    return name


async def drop_database(cluster: str, name: str) -> None:
    connection = await asyncpg.connect(cluster)
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture(scope="session")
async def template(cluster_url: str) -> AsyncIterator[str]:
    """The name of a migrated, empty database to copy from."""
    name = await create_database(cluster_url)
    await migrations.upgrade(database_in(cluster_url, name))
    yield name
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

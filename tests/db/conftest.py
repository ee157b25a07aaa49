"""Connections as the owner and as requests, databases without tables, and a cluster of its own."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db import embedded
from db.engine import create_engine
from tests.conftest import create_database, database_in, drop_database


@pytest.fixture
async def empty(cluster_url: str) -> AsyncIterator[str]:
    """A database that nothing was migrated in."""
    name = await create_database(cluster_url)
    yield database_in(cluster_url, name)
    await drop_database(cluster_url, name)


@pytest.fixture
def other_cluster() -> Iterator[str]:
    """A server of its own: roles belong to a whole cluster."""
    folder = Path(tempfile.mkdtemp(prefix="joblens-"))
    server = embedded.start(folder)
    yield server.url
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine as requests have."""
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[Any]:
    """A connection of the owner of the tables."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[Any]:
    """A connection in a transaction of the role of requests, without an organisation."""
    connection = await asyncpg.connect(database_url)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("SET LOCAL ROLE joblens_app")
    yield connection
    await transaction.rollback()
    await connection.close()

"""Databases of queues, beside the ledger's."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from db import embedded
from tests.conftest import GIVEN, create_database, database_in, drop_database

QueueDatabase = Callable[[], Awaitable[str]]


@pytest.fixture
async def queue_database(cluster_url: str) -> AsyncIterator[QueueDatabase]:
    """Makes new, empty databases, dropped after the test."""
    names: list[str] = []

    async def create() -> str:
        names.append(await create_database(cluster_url))
        return database_in(cluster_url, names[-1])

    yield create
    for name in names:
        await drop_database(cluster_url, name)


@pytest.fixture(scope="session")
async def logical_cluster_url() -> AsyncIterator[str]:
    """A PostgreSQL whose write-ahead log can be decoded: the given one, or an embedded one."""
    if url := os.environ.get(GIVEN):
        yield url
        return
    folder = Path(tempfile.mkdtemp(prefix="joblens-"))
    server = embedded.start(folder)
    connection = await asyncpg.connect(server.url)
    for setting in ("wal_level = logical", "fsync = off", "max_replication_slots = 30"):
        await connection.execute(f"ALTER SYSTEM SET {setting}")
    await connection.close()
    server.stop()
    embedded.shutdown(folder)
    server = embedded.start(folder)
    yield server.url
    server.stop()
    embedded.shutdown(folder)
    shutil.rmtree(folder)


@pytest.fixture
async def logical_database(logical_cluster_url: str) -> AsyncIterator[QueueDatabase]:
    """Makes new, empty databases, dropped with their slots after the test."""
    names: list[str] = []

    async def create() -> str:
        names.append(await create_database(logical_cluster_url))
        return database_in(logical_cluster_url, names[-1])

    yield create
    connection = await asyncpg.connect(logical_cluster_url)
    await connection.fetch("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
    await connection.close()
    for name in names:
        await drop_database(logical_cluster_url, name)

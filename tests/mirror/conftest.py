"""Databases of queues, beside the ledger's."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.conftest import create_database, database_in, drop_database

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

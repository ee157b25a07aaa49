"""One application a module, over the module's own database."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.resolvers.roles.asking import Asking, asking


@pytest.fixture(scope="module")
async def admin(database_url: str) -> AsyncIterator[Asking]:
    """The application, asked by an administrator; `as_` asks as others."""
    async with asking(database_url) as asked:
        yield asked


@pytest.fixture(scope="module")
async def postgres(cluster_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(cluster_url)
    yield connection
    await connection.close()

"""Other ways to the database of a module than the API: an engine of workers, and plain SQL."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from joblens import create_worker_engine


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_worker_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def tables(database_url: str) -> AsyncIterator[Any]:
    """A connection that sees every organisation."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()

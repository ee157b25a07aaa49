"""Engines that write as they do on Citus, whatever their database is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import CITUS
from tests.support.service import Service, serving

# For fixtures that are made twice: whether they write as on Citus.
BOTH_WAYS: dict[str, Any] = {"params": [False, True], "ids": ["plain", "citus"]}


@asynccontextmanager
async def serving_as(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Service]:
    """Serve a database in one of BOTH_WAYS."""
    async with serving(database_url) as running:
        if request.param:
            await write_as_on_citus(running.engine)
        yield running


async def write_as_on_citus(engine: AsyncEngine) -> None:
    """Make all connections of the engine pass for those of a database with Citus."""

    def pretend(_connection: Any, record: Any) -> None:
        record.info[CITUS] = True

    # After the engine's own listener, which asks the database.
    event.listen(engine.sync_engine, "connect", pretend)
    await engine.dispose()

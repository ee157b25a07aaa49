"""Engines that write as they do on Citus, whatever their database is."""

from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import CITUS


async def write_as_on_citus(engine: AsyncEngine) -> None:
    """Make all connections of the engine pass for those of a database with Citus."""

    def pretend(_connection: Any, record: Any) -> None:
        record.info[CITUS] = True

    # After the engine's own listener, which asks the database.
    event.listen(engine.sync_engine, "connect", pretend)
    await engine.dispose()

"""The connection of imports and exports. Their transactions are those of `owner_transaction`."""

from typing import Any

from db import connections
from db.times import set_codec


async def connect(url: str, application_name: str) -> Any:
    """Connect as the owner of the tables."""
    connection = await connections.connect(url, application_name)
    await set_codec(connection)
    return connection

"""One running Joblens a module, over the module's own database; examples take the time they take.

Tests keep their examples apart by giving each an organisation of its own.
"""

from collections.abc import AsyncIterator

import asyncpg
import orjson
import pytest

from tests.support.service import Service, serving


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[Service]:
    # Many questions at once make for few requests.
    wide = {"max_root_fields": "100", "max_aliases": "100", "max_cost": "100000"}
    async with serving(database_url, **wide) as running:
        yield running


@pytest.fixture(scope="module")
async def tables(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection, to which JSON is plain."""
    connection = await asyncpg.connect(database_url)
    await connection.set_type_codec("jsonb", encoder=str, decoder=orjson.loads, schema="pg_catalog")
    yield connection
    await connection.close()

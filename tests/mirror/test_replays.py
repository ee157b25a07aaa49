"""The rows of each sample as changes, which a slot reports: Joblens answers what the sample says."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from db.facts import Source
from mirror.ledger import Ledger
from mirror.reading import connect
from tests.conftest import FreshDatabase
from tests.mirror.conftest import QueueDatabase
from tests.mirror.mirroring import engine_of, found_in, jobs_of
from tests.mirror.test_samples import assert_as_expected
from tests.mirror.test_slot import follower_of
from tests.support.queues import SAMPLES, expected, needs_queues, restore
from tests.support.service import ORG, serving

COLUMNS = """
SELECT quote_ident(attname) FROM pg_attribute
WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
ORDER BY attidentity DESC, attnum
"""


@pytest.mark.long
@needs_queues
@pytest.mark.parametrize("sample", SAMPLES)
async def test_rows_that_come_as_changes(
    sample: str, fresh_database: FreshDatabase, logical_database: QueueDatabase
) -> None:
    ledger_url, queue_url = await fresh_database(), await logical_database()
    await restore(queue_url, sample)
    connection, worker = await connect(queue_url), await asyncpg.connect(queue_url)
    found = await found_in(connection, SAMPLES[sample])
    tables = [f"{found.schema}.{table.name}" for table in found.adapter.tables]
    # Rows come in any order; what the queue's own triggers would do is among them.
    await worker.execute("SET session_replication_role = replica")
    await put_aside(worker, tables)
    async with engine_of(ledger_url) as engine:
        ledger = Ledger(engine, UUID(ORG), Source(sample, SAMPLES[sample]))
        follower = await follower_of(connection, ledger, {}, SAMPLES[sample])
        await follower.follow(connection)
        await insert_all(worker, tables)
        await follower.follow(connection)
        await update_all(worker, tables)
        await follower.follow(connection)
    async with serving(ledger_url) as service:
        assert_as_expected(await jobs_of(service), expected(sample))
    await connection.close()
    await worker.close()


async def put_aside(worker: Any, tables: list[str]) -> None:
    await worker.execute("CREATE SCHEMA aside")
    for number, table in enumerate(tables):
        await worker.execute(f"CREATE TABLE aside.t{number} AS TABLE {table}")
    await worker.execute(f"TRUNCATE {', '.join(tables)} CASCADE")


async def insert_all(worker: Any, tables: list[str]) -> None:
    """Insert all rows, in one transaction: parts of a job alone would be another history."""
    async with worker.transaction():
        for number, table in enumerate(tables):
            columns = ", ".join(await columns_of(worker, table))
            await worker.execute(
                f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE "
                f"SELECT {columns} FROM aside.t{number}"
            )


async def update_all(worker: Any, tables: list[str]) -> None:
    """Update each row, in a transaction of its own; it stays as it is."""
    for table in tables:
        column = (await columns_of(worker, table))[-1]
        for (place,) in await worker.fetch(f"SELECT ctid FROM {table}"):
            await worker.execute(f"UPDATE {table} SET {column} = {column} WHERE ctid = $1", place)


async def columns_of(worker: Any, table: str) -> list[str]:
    """Get the columns that are not computed."""
    return [name for (name,) in await worker.fetch(COLUMNS, table)]

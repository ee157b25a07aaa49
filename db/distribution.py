"""Which tables Citus spreads over its workers, each by the organisation, and the SQL that does it.

An organisation's rows of all tables are on one worker, so that each statement runs there.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection

from db.connections import connect
from db.engine import HAS_CITUS
from db.tables import metadata

# What Citus knows of tables: how each is distributed, and with which others.
DISTRIBUTED = """
SELECT relname, partmethod = 'h' AND column_to_column_name(logicalrelid, partkey) = 'org_id'
    AS by_organisation, colocationid AS colocation
FROM pg_dist_partition JOIN pg_class ON pg_class.oid = logicalrelid
WHERE pg_class.oid = to_regclass(quote_ident(relname))
"""
_FIRST = ("org", "token", "job", "job_event")
TABLES = (*_FIRST, *(name for name in metadata.tables if name not in _FIRST))


class NoCitusError(Exception):
    """The database does not have the extension Citus."""


def statements(distributed: Collection[str], shards: int | None = None) -> Sequence[str]:
    """Return what distributes the other tables, those first that others refer to.

    `shards`: how many the first table gets, and so all; None: as many as Citus is set to.
    """
    options = dict.fromkeys(TABLES, f", colocate_with => '{TABLES[0]}'")
    options[TABLES[0]] = "" if shards is None else f", shard_count => {shards:d}"
    return [
        f"SELECT create_distributed_table('{table}', 'org_id'{options[table]})"
        for table in TABLES
        if table not in distributed
    ]


def statements_of_migration(connection: Connection) -> Sequence[str]:
    """Return what distributes new tables where jobs are distributed; nothing elsewhere."""
    if not connection.exec_driver_sql(HAS_CITUS).scalar():
        return []
    distributed = {row.relname for row in connection.exec_driver_sql(DISTRIBUTED)}
    return statements(distributed) if "job" in distributed else []


async def distribute(
    url: str, shards: int | None = None, *, dry_run: bool = False
) -> Sequence[str]:
    """Distribute the tables that are not yet, in one transaction; return what was sent for it.

    `dry_run`: only return it. `url` must name the owner of the tables. Raises NoCitusError,
    asyncpg's errors, and OSError if the database is unreachable.
    """
    connection = await connect(url, "joblens distribute")
    try:
        if not await connection.fetchval(HAS_CITUS):
            raise NoCitusError
        async with connection.transaction():
            distributed = {row["relname"] for row in await connection.fetch(DISTRIBUTED)}
            wanted = statements(distributed, shards)
            for statement in () if dry_run else wanted:
                await connection.execute(statement)
        return wanted
    finally:
        await connection.close()

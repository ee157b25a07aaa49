"""A stand-in for the extension Citus: what Joblens asks of its catalogue, and one of its functions.

The rows of tables stay where they are. What real shards do is not shown by tests that use it.
"""

from typing import Any

import asyncpg

from db.engine import HAS_CITUS

# As those of Citus, with the parameters that Joblens gives. Only the name of the extension is there.
_MAKE = """
INSERT INTO pg_extension VALUES
    (99999, 'citus', 10, 'pg_catalog'::regnamespace, false, '13.2-1', NULL, NULL);
CREATE TABLE pg_dist_partition (
    logicalrelid regclass PRIMARY KEY, partmethod "char", partkey text, colocationid integer
);
CREATE FUNCTION column_to_column_name(regclass, text) RETURNS text
LANGUAGE sql AS 'SELECT $2';
CREATE TABLE called (n serial, name text, colocate_with text, shard_count integer);
CREATE FUNCTION create_distributed_table(
    name regclass, distribution_column text, colocate_with text DEFAULT 'default',
    shard_count integer DEFAULT NULL
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO called (name, colocate_with, shard_count)
        VALUES (name::text, colocate_with, shard_count);
    INSERT INTO pg_dist_partition VALUES (name, 'h', distribution_column, coalesce(
        (SELECT colocationid FROM pg_dist_partition WHERE logicalrelid::text = colocate_with), 1));
END
$$
"""


async def pretend_citus(url: str) -> None:
    """Make a database of a test pass for one with Citus. `url` must name a superuser."""
    connection: Any = await asyncpg.connect(url)
    if not await connection.fetchval(HAS_CITUS):
        await connection.execute(_MAKE)
    await connection.close()


async def calls(url: str) -> list[tuple[str, str, int | None]]:
    """Return which tables were distributed, in order: with which one, over how many shards."""
    connection: Any = await asyncpg.connect(url)
    rows = await connection.fetch("SELECT name, colocate_with, shard_count FROM called ORDER BY n")
    await connection.close()
    return [tuple(row) for row in rows]

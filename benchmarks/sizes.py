"""How many bytes a job and an event take, with their indexes: of the ledger of `make bench`.

.venv/bin/python -m benchmarks.sizes
"""

import asyncio

import asyncpg

from benchmarks.ledger import connected, ledger

# Of a table with its oversized values, and of its indexes; for each row.
_SIZES = """
SELECT count(*) AS rows, pg_table_size('{0}')::float8 / count(*) AS table,
    pg_indexes_size('{0}')::float8 / count(*) AS indexes
FROM {0}
"""
_INDEXES = """
SELECT indexrelid::regclass::text AS name, pg_relation_size(indexrelid) AS bytes
FROM pg_index WHERE indrelid = '{0}'::regclass ORDER BY bytes DESC, name
"""
TABLES = ("job", "job_event")


async def report(connection: asyncpg.Connection) -> str:
    """Return the sizes as Markdown."""
    lines = [
        "| table | rows | bytes a row | of these the table | the indexes |",
        "|---|--:|--:|--:|--:|",
    ]
    for table in TABLES:
        row = await connection.fetchrow(_SIZES.format(table))
        whole = row["table"] + row["indexes"]
        lines.append(
            f"| `{table}` | {row['rows']:,} | {whole:,.0f} | {row['table']:,.0f}"
            f" | {row['indexes']:,.0f} |"
        )
    lines += ["", "| index | bytes a row |", "|---|--:|"]
    for table in TABLES:
        rows = await connection.fetchval(f"SELECT count(*) FROM {table}")
        for index in await connection.fetch(_INDEXES.format(table)):
            lines.append(f"| `{index['name']}` | {index['bytes'] / rows:,.1f} |")
    return "\n".join(lines)


async def _run() -> None:
    async with ledger() as url, connected(url) as connection:
        print(await report(connection))


if __name__ == "__main__":
    asyncio.run(_run())

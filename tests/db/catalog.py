"""What a database's catalog says of its tables, in PostgreSQL's own words, to compare databases."""

import asyncpg

# Alembic's own comparison passes over checks, predicates of indexes, defaults and their order.
TABLES = {
    "columns": """
        SELECT table_name, row_number() OVER (PARTITION BY table_name ORDER BY ordinal_position),
            column_name, data_type, is_nullable, column_default
        FROM information_schema.columns WHERE table_schema = 'public'
    """,
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "constraints": """
        SELECT conrelid::regclass::text, conname, convalidated, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    """,
}
# What only the migrations make.
RIGHTS = {
    "row security": """
        SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    """,
    "policies": "SELECT tablename, policyname, roles, cmd, qual, with_check FROM pg_policies",
    "grants": """
        SELECT relname, relacl::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
        UNION ALL SELECT nspname, nspacl::text FROM pg_namespace WHERE nspname = 'public'
    """,
}

Catalog = dict[str, set[tuple[object, ...]]]


async def read(url: str, queries: dict[str, str]) -> Catalog:
    """Read parts of the catalog, without what belongs to Alembic's own table."""
    connection = await asyncpg.connect(url)
    found: Catalog = {}
    for name, sql in queries.items():
        rows = [_tuple(record) for record in await connection.fetch(sql)]
        found[name] = {row for row in rows if row[0] != "alembic_version"}
    await connection.close()
    return found


async def read_all(url: str) -> Catalog:
    """Read the tables and the rights on them, those on Alembic's table too."""
    connection = await asyncpg.connect(url)
    found = {
        name: {_tuple(record) for record in await connection.fetch(sql)}
        for name, sql in (TABLES | RIGHTS).items()
    }
    await connection.close()
    return found


def _tuple(record: asyncpg.Record) -> tuple[object, ...]:
    return tuple(tuple(value) if isinstance(value, list) else value for value in record)

"""The tables as migrations leave them, against what Citus demands of distributed tables."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from db.tables import metadata

TABLES = sorted(metadata.tables)
OURS = "(SELECT oid FROM pg_class WHERE oid = ANY($1::text[]::regclass[]))"
# Each finds what Citus refuses, or what it cannot keep right across shards.
REFUSED = {
    "tables without row level security": "SELECT relname FROM pg_class"
    f" WHERE oid IN {OURS} AND NOT relrowsecurity",
    "triggers": f"SELECT tgname FROM pg_trigger WHERE tgrelid IN {OURS} AND NOT tgisinternal",
    "rules": f"SELECT rulename FROM pg_rewrite WHERE ev_class IN {OURS}",
    "inheritance": f"SELECT inhrelid FROM pg_inherits WHERE inhrelid IN {OURS}",
    "identity and generated columns": "SELECT attname FROM pg_attribute"
    f" WHERE attrelid IN {OURS} AND (attidentity <> '' OR attgenerated <> '')",
    "sequences": "SELECT adrelid::regclass FROM pg_attrdef"
    f" WHERE adrelid IN {OURS} AND pg_get_expr(adbin, adrelid) LIKE '%nextval%'",
    "enums": "SELECT attname FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid"
    f" WHERE attrelid IN {OURS} AND typtype NOT IN ('b', 'd') AND attnum > 0",
    "nullable organisations": "SELECT attrelid::regclass FROM pg_attribute"
    f" WHERE attrelid IN {OURS} AND attname = 'org_id' AND NOT attnotnull",
    "unique indexes that do not begin with the organisation": "SELECT indexrelid::regclass"
    " FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]"
    f" WHERE indrelid IN {OURS} AND indisunique AND attname <> 'org_id'",
    "unique indexes of expressions first": "SELECT indexrelid::regclass FROM pg_index"
    f" WHERE indrelid IN {OURS} AND indisunique AND indkey[0] = 0",
    "exclusion constraints": "SELECT conname FROM pg_constraint"
    f" WHERE conrelid IN {OURS} AND contype = 'x'",
    "foreign keys of other tables": "SELECT conname FROM pg_constraint"
    f" WHERE contype = 'f' AND (conrelid IN {OURS}) <> (confrelid IN {OURS})",
    "foreign keys that do not begin with the organisation": "SELECT conname FROM pg_constraint"
    " JOIN pg_attribute own ON own.attrelid = conrelid AND own.attnum = conkey[1]"
    " JOIN pg_attribute other ON other.attrelid = confrelid AND other.attnum = confkey[1]"
    f" WHERE conrelid IN {OURS} AND contype = 'f'"
    " AND (own.attname <> 'org_id' OR other.attname <> 'org_id')",
    "foreign keys that set columns": "SELECT conname FROM pg_constraint"
    f" WHERE conrelid IN {OURS} AND contype = 'f'"
    " AND (confdeltype IN ('n', 'd') OR confupdtype IN ('n', 'd', 'c'))",
}
# What each of them finds once this has been done to the tables.
PLANTED = {
    "tables without row level security": "ALTER TABLE token DISABLE ROW LEVEL SECURITY",
    "triggers": "CREATE TRIGGER planted BEFORE UPDATE ON job FOR EACH ROW"
    " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "rules": "CREATE RULE planted AS ON DELETE TO job DO INSTEAD NOTHING",
    "identity and generated columns": "ALTER TABLE org ADD n int GENERATED ALWAYS AS IDENTITY",
    "sequences": "ALTER TABLE org ADD n serial",
    "enums": "CREATE TYPE planted AS ENUM ('a'); ALTER TABLE org ADD n planted",
    "unique indexes that do not begin with the organisation": "CREATE UNIQUE INDEX ON job (id)",
    "unique indexes of expressions first": "CREATE UNIQUE INDEX ON job ((id::text), org_id)",
    "foreign keys of other tables": "CREATE TABLE x (id uuid PRIMARY KEY);"
    " ALTER TABLE job ADD FOREIGN KEY (id) REFERENCES x",
    "foreign keys that set columns": "ALTER TABLE job_event ADD FOREIGN KEY (org_id, job_id)"
    " REFERENCES job ON DELETE SET NULL",
}


@pytest.fixture
async def changed(database_url: str) -> AsyncIterator[Any]:
    """A connection whose changes are undone."""
    connection = await asyncpg.connect(database_url)
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


@pytest.mark.parametrize("query", REFUSED.values(), ids=REFUSED)
async def test_the_tables_have_nothing_that_citus_refuses(changed: Any, query: str) -> None:
    assert await changed.fetch(query, TABLES) == []


@pytest.mark.parametrize(("name", "change"), PLANTED.items(), ids=PLANTED)
async def test_what_citus_refuses_is_found(changed: Any, name: str, change: str) -> None:
    await changed.execute(change)
    assert await changed.fetch(REFUSED[name], TABLES)


async def test_every_table_is_one_of_an_organisation_or_the_revision(changed: Any) -> None:
    names = await changed.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    assert {row["relname"] for row in names} == {*TABLES, "alembic_version"}

"""Plans without values, of statements as they are sent, by each version of PostgreSQL."""

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import PIPELINE, EngineOptions, Scope, create_engine
from db.explain import explain

SCOPE = Scope(UUID(int=7), 60.0, read_only=False)
# A plan for this value would show it.
WITH_VALUES = "SELECT id FROM job WHERE org_id = $1 AND type = $2 AND created_at > $3"


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = create_engine(database_url, EngineOptions(pool_size=1, pool_overflow=0))
    yield made
    await made.dispose()


async def test_a_plan_has_parameters_and_the_rule_of_the_organisation(engine: AsyncEngine) -> None:
    plan = await explain(engine, SCOPE, WITH_VALUES)
    assert "cost=" in plan
    assert "$2" in plan
    assert "joblens.org_id" in plan
    assert str(SCOPE.org_id) not in plan


@pytest.mark.parametrize(
    "sql", ["SELECT 1", "INSERT INTO job (org_id, type) VALUES ($1, $2)", "DELETE FROM job"]
)
async def test_a_statement_is_not_run(engine: AsyncEngine, database_url: str, sql: str) -> None:
    assert "cost=" in await explain(engine, SCOPE, sql)
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SELECT count(*) FROM job") == 0
    await connection.close()


async def test_nothing_is_left_prepared(engine: AsyncEngine) -> None:
    with pytest.raises(asyncpg.PostgresSyntaxError):
        await explain(engine, SCOPE, "SELECT FROM WHERE")
    with pytest.raises(asyncpg.UndefinedTableError):
        await explain(engine, SCOPE, "SELECT * FROM missing WHERE id = $1")
    await explain(engine, SCOPE, WITH_VALUES)
    plan = await explain(
        engine, SCOPE, "SELECT name FROM pg_prepared_statements WHERE name LIKE 'joblens_%'"
    )
    assert "cost=" in plan
    async with engine.connect() as connection:
        raw = await connection.get_raw_connection()
        assert raw.driver_connection is not None
        await raw.info[PIPELINE].wait()
        left = await raw.driver_connection.fetchval(
            "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'joblens_explained%'"
        )
        assert left == 0

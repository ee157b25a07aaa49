"""The plans of statements, without their values, as the role and the organisation that run them."""

from contextlib import suppress
from dataclasses import replace
from itertools import count

from sqlalchemy.ext.asyncio import AsyncEngine

from db.database_errors import DATABASE_ERRORS
from db.engine import Scope
from db.request_session import RequestSession

# In the pool's fair queue.
KEY = "explain"
# Prepared statements outlive transactions, also one that failed.
_numbers = count()


async def explain(engine: AsyncEngine, scope: Scope, sql: str) -> str:
    """Return PostgreSQL's plan for any values of a statement, which is not run.

    It may differ from the plan for the values of one execution. EXPLAIN (GENERIC_PLAN) does the
    same, but only from PostgreSQL 16 on. Raises DATABASE_ERRORS and what they are translated to.
    """
    name = f"joblens_explained_{next(_numbers)}"
    read_only = replace(scope, read_only=True)
    async with (
        RequestSession(engine, read_only, KEY) as session,
        session.use() as begun,
    ):
        raw = await (await begun.connection()).get_raw_connection()
        driver = raw.driver_connection
        assert driver is not None
        await driver.execute(
            f"SET LOCAL plan_cache_mode = force_generic_plan; PREPARE {name} AS {sql}"
        )
        try:
            number = await driver.fetchval(
                "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = $1",
                name,
            )
            values = ", ".join(["NULL"] * number)
            execute = f"EXECUTE {name}({values})" if values else f"EXECUTE {name}"
            rows = await driver.fetch(f"EXPLAIN {execute}")
        finally:
            with suppress(*DATABASE_ERRORS):
                await driver.execute(f"DEALLOCATE {name}")
    return "\n".join(row[0] for row in rows)

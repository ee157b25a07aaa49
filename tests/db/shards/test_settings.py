"""The settings that begin a transaction reach the shards of Citus, in the order that it needs."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import Scope, create_engine
from db.request_session import RequestSession
from tests.conftest import FreshDatabase
from tests.support.stand_in import pretend_citus

ORG = UUID("00000000-0000-0000-0000-000000000001")
SCOPE = Scope(ORG, statement_timeout_seconds=2.5)
PROPAGATED = text("SELECT current_setting('citus.propagate_set_commands', true)")


def settings_of(sql: str) -> list[str]:
    begin, *settings = sql.split(";")
    assert begin == "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    return settings


def test_the_organisation_comes_last_and_alone_after_propagation() -> None:
    assert settings_of(SCOPE.begin_sql(on_citus=True)) == [
        "SET LOCAL ROLE joblens_app",
        "SET LOCAL statement_timeout = 2500",
        "SET LOCAL jit = off",
        "SET LOCAL citus.propagate_set_commands = 'local'",
        f"SET LOCAL joblens.org_id = '{ORG}'",
    ]


def test_elsewhere_nothing_is_propagated() -> None:
    on_citus = settings_of(SCOPE.begin_sql(on_citus=True))
    assert settings_of(SCOPE.begin_sql()) == [each for each in on_citus if "citus" not in each]


@pytest.fixture(params=[False, True], ids=["plain", "citus"])
async def engine(
    request: pytest.FixtureRequest, fresh_database: FreshDatabase
) -> AsyncIterator[AsyncEngine]:
    url = await fresh_database()
    if request.param:
        await pretend_citus(url)
    made = create_engine(url)
    yield made
    await made.dispose()


async def test_connections_know_their_database(
    engine: AsyncEngine, request: pytest.FixtureRequest
) -> None:
    is_citus = "citus" in request.node.name
    async with RequestSession(engine, SCOPE) as session, session.use() as begun:
        found: Any = (await begun.execute(PROPAGATED)).scalar_one()
    assert (found == "local") == is_citus


async def test_transactions_that_sqlalchemy_begins_do_too(
    engine: AsyncEngine, request: pytest.FixtureRequest
) -> None:
    scoped = engine.execution_options(joblens_scope=SCOPE)
    async with scoped.begin() as connection:
        found: Any = (await connection.execute(PROPAGATED)).scalar_one()
    assert (found == "local") == ("citus" in request.node.name)

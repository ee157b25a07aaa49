"""Statements that the driver runs: seen by SQLAlchemy's events and log, with SQLAlchemy's errors."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import Integer, event, func, literal, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from db.database_errors import StatementTimeoutError
from db.engine import EngineOptions, Scope, create_engine
from db.queries.rows import read, read_one
from db.request_session import RequestSession
from joblens import session_scope
from tests.support.service import ORG

SCOPE = Scope(UUID(ORG), statement_timeout_seconds=10)


def quotient(one: Any, other: Any) -> Any:
    return select((literal(one, Integer()) // literal(other, Integer())).label("quotient"))


def asleep(seconds: Any) -> Any:
    return select(func.pg_sleep(literal(seconds)))


def numbers(last: Any) -> Any:
    return select(func.generate_series(1, literal(last, Integer())).label("detail"))


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url, EngineOptions(pool_size=1, pool_overflow=0))
    yield engine
    await engine.dispose()


async def test_events_see_them(engine: AsyncEngine) -> None:
    seen: list[Any] = []

    def before(*given: Any) -> None:
        connection, _cursor, statement, parameters, context, executemany = given
        context.started = True
        seen.append((connection.engine, statement, tuple(parameters), executemany))

    def after(*given: Any) -> None:
        seen.append(given[4].started)

    event.listen(engine.sync_engine, "before_cursor_execute", before)
    event.listen(engine.sync_engine, "after_cursor_execute", after)
    async with RequestSession(engine, SCOPE) as session, session.use() as begun:
        assert await read_one(begun, quotient, 7, 2) == 3
    assert seen == [
        (engine.sync_engine, "SELECT $1::INTEGER / $2::INTEGER AS quotient", (7, 2), False),
        True,
    ]


async def test_an_event_may_change_them(engine: AsyncEngine) -> None:
    def marked(_c: Any, _u: Any, statement: str, parameters: Any, *_: Any) -> tuple[str, Any]:
        return f"{statement} -- marked", parameters

    event.listen(engine.sync_engine, "before_cursor_execute", marked, retval=True)
    async with RequestSession(engine, SCOPE) as session, session.use() as begun:
        assert await read_one(begun, quotient, 7, 2) == 3
        sent = await read_one(begun, select_own_query)
    assert sent.endswith("-- marked")


def select_own_query() -> Any:
    return select(func.current_query())


async def test_the_log_has_them_without_their_values(
    engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sqlalchemy.engine.Engine")
    async with session_scope(UUID(ORG), engine=engine) as session:
        assert await read_one(session, quotient, 91_827, 2) == 45_913
    assert "AS quotient" in caplog.text
    assert "91827" not in caplog.text


async def test_errors_are_those_of_sqlalchemy(engine: AsyncEngine) -> None:
    with pytest.raises(DBAPIError, match="division by zero") as raised:
        async with session_scope(UUID(ORG), engine=engine) as session:
            await read(session, quotient, 1, 0)
    assert raised.value.statement is not None
    assert not raised.value.connection_invalidated
    async with session_scope(UUID(ORG), engine=engine) as session:
        assert await read_one(session, quotient, 4, 2) == 2


async def test_a_savepoint_is_rolled_back_alone(engine: AsyncEngine) -> None:
    async with session_scope(UUID(ORG), engine=engine) as session:
        with pytest.raises(DBAPIError):
            async with session.begin_nested():
                await read(session, quotient, 1, 0)
        assert await read_one(session, quotient, 4, 2) == 2


async def test_sqlalchemys_statements_are_in_the_same_transaction(engine: AsyncEngine) -> None:
    def transaction() -> Any:
        return select(func.pg_current_xact_id())

    async with session_scope(UUID(ORG), engine=engine) as session:
        own = await read_one(session, transaction)
        assert (await session.execute(transaction())).scalar_one() == own


async def test_a_lost_connection_is_noticed(engine: AsyncEngine, database_url: str) -> None:
    owner = await asyncpg.connect(database_url)

    async def killed() -> None:
        async with session_scope(UUID(ORG), engine=engine) as session:
            pid = (await session.execute(select(func.pg_backend_pid()))).scalar_one()
            await owner.execute("SELECT pg_terminate_backend($1, 10000)", pid)
            await read(session, quotient, 1, 1)

    with pytest.raises(DBAPIError) as raised:
        await killed()
    await owner.close()
    assert raised.value.connection_invalidated
    async with session_scope(UUID(ORG), engine=engine) as session:
        assert await read_one(session, quotient, 4, 2) == 2


async def test_stop_ends_them(engine: AsyncEngine) -> None:
    async with RequestSession(engine, SCOPE) as session:

        async def sleep() -> None:
            async with session.use() as begun:
                await read(begun, asleep, 60)

        sleeping = asyncio.create_task(sleep())
        await asyncio.sleep(0.1)
        session.stop(StatementTimeoutError())
        with pytest.raises(StatementTimeoutError):
            await sleeping


async def test_the_statement_timeout_ends_them(engine: AsyncEngine) -> None:
    hasty = Scope(UUID(ORG), statement_timeout_seconds=0.05)
    async with RequestSession(engine, hasty) as session:
        with pytest.raises(StatementTimeoutError):
            async with session.use() as begun:
                await read(begun, asleep, 60)


async def test_rows_come_in_chunks(engine: AsyncEngine) -> None:
    class Budget:
        chunks: list[int] = []  # noqa: RUF012 - of this test alone

        def add(self, rows: list[Any], _large: Any) -> None:
            self.chunks.append(len(rows))

    async with RequestSession(engine, SCOPE) as session, session.use() as begun:
        begun.info["joblens_read_budget"] = Budget()
        rows = await read(begun, numbers, 1_500)
    assert [row.detail for row in rows] == list(range(1, 1_501))
    assert Budget.chunks == [200, 400, 400, 400, 100]

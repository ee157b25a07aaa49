"""Cancelled or stopped wherever it waits: no connection is lost, left dirty, or cancelled later."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.database_errors import StatementTimeoutError
from db.engine import PIPELINE, EngineOptions, Scope, create_engine
from db.pool import FairPool
from db.request_session import RequestSession, SessionClosedError
from db.session_scope import session_scope
from tests.db.steps import cancel, stepped
from tests.support.service import ORG

SCOPE = Scope(UUID(ORG), statement_timeout_seconds=10)
WRITING = Scope(UUID(ORG), statement_timeout_seconds=10, read_only=False)
INSERT = text(f"INSERT INTO job (org_id, type) VALUES ('{ORG}', 't')")
# Long enough to be met by a cancel request that comes too late.
NAP = text("SELECT pg_sleep(0.002)")


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url, EngineOptions(pool_size=2, pool_overflow=0))
    # PostgreSQL warns of a BEGIN within a transaction, and of a ROLLBACK without one.
    warnings: list[object] = []

    def listen(connection: Any, _record: object) -> None:
        connection.driver_connection.add_log_listener(lambda _, warning: warnings.append(warning))

    event.listen(engine.sync_engine, "connect", listen)
    yield engine
    assert not warnings
    await engine.dispose()


async def read(session: RequestSession) -> None:
    async with session, session.use() as begun:
        await begun.execute(NAP)


async def write(session: RequestSession) -> None:
    async with session:
        async with session.use() as begun:
            await begun.execute(INSERT)
        await session.commit()


async def undo(session: RequestSession) -> None:
    async with session, session.use() as begun:
        await begun.execute(INSERT)
        await begun.rollback()
        await begun.execute(NAP)


async def siblings(session: RequestSession) -> None:
    async def ask() -> None:
        async with session.use() as begun:
            await begun.execute(NAP)

    async with session:
        await asyncio.gather(*(ask() for _ in range(3)))


REQUESTS = [read, write, undo, siblings]
Life = Callable[[AsyncEngine], Awaitable[None]]


def of_request(use: Callable[[RequestSession], Awaitable[None]]) -> Life:
    return lambda engine: use(RequestSession(engine, WRITING))


async def worker(engine: AsyncEngine) -> None:
    async with session_scope(UUID(ORG), engine=engine) as session:
        await session.execute(INSERT)


async def failing_worker(engine: AsyncEngine) -> None:
    with suppress(KeyError):
        async with session_scope(UUID(ORG), engine=engine) as session:
            await session.execute(INSERT)
            raise KeyError


LIVES: list[Any] = [pytest.param(of_request(use), id=use.__name__) for use in REQUESTS]
LIVES += [worker, failing_worker]


async def serve(engine: AsyncEngine) -> None:
    """Run another request, which must not fail."""
    await read(RequestSession(engine, SCOPE))


async def assert_at_rest(engine: AsyncEngine) -> None:
    pool = engine.pool
    assert isinstance(pool, FairPool)
    assert pool.checkedout() == 0
    assert not pool.queue._lines
    connections = [await engine.raw_connection() for _ in range(2)]
    for connection in connections:
        driver: Any = connection.driver_connection
        await connection.info[PIPELINE].wait()
        assert await driver.fetchval("SELECT current_user = session_user")
        # By that answer: the driver does not see that of a ROLLBACK which is not waited for.
        assert not driver.is_in_transaction()
        connection.close()


@asynccontextmanager
async def beside_others(engine: AsyncEngine) -> AsyncIterator[None]:
    """Keep other requests going, which must not fail."""

    async def serve_on() -> None:
        while not over.is_set():
            await serve(engine)

    over = asyncio.Event()
    others = asyncio.create_task(serve_on())
    try:
        yield
    finally:
        over.set()
        await others
    await assert_at_rest(engine)


@pytest.mark.parametrize("life", LIVES)
@pytest.mark.parametrize("times", [1, 2, 3])
async def test_cancelled_wherever_it_waits(engine: AsyncEngine, life: Any, times: int) -> None:
    async with beside_others(engine):
        for step in count(1):
            if await stepped(life(engine), dict.fromkeys(range(step, step + times), cancel)) < step:
                break
            await serve(engine)


@pytest.mark.parametrize("life", LIVES)
async def test_cancelled_again_later(engine: AsyncEngine, life: Any) -> None:
    async with beside_others(engine):
        for first in count(1):
            for second in count(first + 2):
                taken = await stepped(life(engine), {first: cancel, second: cancel})
                if taken < second:
                    break
                await serve(engine)
            if taken < first:
                break


@pytest.mark.parametrize("life", LIVES)
async def test_cancelled_while_it_connects(engine: AsyncEngine, life: Any) -> None:
    for step in count(1):
        await engine.dispose()
        taken = await stepped(life(engine), {step: cancel})
        await assert_at_rest(engine)
        if taken < step:
            break


@pytest.mark.parametrize("use", REQUESTS)
async def test_stopped_wherever_it_waits(engine: AsyncEngine, use: Any) -> None:
    async with beside_others(engine):
        for step in count(1):
            session = RequestSession(engine, WRITING)
            stop = {step: lambda: session.stop(StatementTimeoutError())}  # noqa: B023
            taken = 0
            with suppress(StatementTimeoutError):
                taken = await stepped(use(session), stop)
            await serve(engine)
            if 0 < taken < step:
                break


async def test_cancelled_as_it_closes_while_siblings_wait(engine: AsyncEngine) -> None:
    session = RequestSession(engine, SCOPE)

    async def sibling() -> None:
        with suppress(SessionClosedError):
            async with session.use() as begun:
                await begun.execute(NAP)

    async def request() -> None:
        async with session.use() as begun:
            await begun.execute(NAP)
            siblings.append(asyncio.create_task(sibling()))
            await asyncio.sleep(0)
        # The sibling's turn has come, but it has not taken it.
        cancel()
        await session.close()

    siblings: list[asyncio.Task[None]] = []
    with suppress(asyncio.CancelledError):
        await asyncio.create_task(request())
    await asyncio.wait(siblings)
    await assert_at_rest(engine)

"""RequestSession: one lazy connection, siblings in a queue, errors that tell what they mean."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from db.database_errors import CommitUncertainError, DatabaseUnavailableError, StatementTimeoutError
from db.engine import PIPELINE, SCOPE_OPTION, EngineOptions, Scope, create_engine
from db.request_session import RequestSession, SessionClosedError
from tests.conftest import FreshDatabase
from tests.support.proxy import proxy
from tests.support.service import ORG

SCOPE = Scope(UUID(ORG), statement_timeout_seconds=10)
HASTY = Scope(UUID(ORG), statement_timeout_seconds=0.05)
# One connection: what a session leaves behind on it, the next session meets.
ONE = EngineOptions(pool_size=1, pool_overflow=0, pool_timeout_seconds=0.05)
PID = text("SELECT pg_backend_pid()")


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url, ONE)
    yield engine
    await engine.dispose()


async def ask(session: RequestSession, statement: Any = PID) -> Any:
    async with session.use() as begun:
        return (await begun.execute(statement)).scalar_one()


def checked_out(engine: AsyncEngine) -> int:
    return int(engine.pool.checkedout())  # type: ignore[attr-defined]


async def assert_serves_cleanly(engine: AsyncEngine) -> None:
    """See that the only connection is back, and that nothing is left on it."""
    assert checked_out(engine) == 0
    connection = await engine.raw_connection()
    driver: Any = connection.driver_connection
    await connection.info[PIPELINE].wait()
    assert await driver.fetchval("SELECT current_setting('joblens.org_id', true)") in {None, ""}
    # By that answer: the driver does not see that of a ROLLBACK which is not waited for.
    assert not driver.is_in_transaction()
    assert await driver.fetchval("SELECT current_user = session_user")
    assert await driver.fetchval("SHOW statement_timeout") == "0"
    connection.close()
    async with RequestSession(engine, SCOPE) as session:
        assert await ask(session, text("SELECT count(*) FROM job")) == 0


async def test_siblings_queue_on_one_connection(engine: AsyncEngine) -> None:
    async with RequestSession(engine, SCOPE) as session:
        state = text("SELECT pg_backend_pid() || ' ' || txid_current_snapshot()::text, pg_sleep(0)")
        answers = await asyncio.gather(*(ask(session, state) for _ in range(20)))
        assert len(answers) == 20
        assert len(set(answers)) == 1
        assert checked_out(engine) == 1
    await assert_serves_cleanly(engine)


async def test_statements_are_not_compiled(engine: AsyncEngine) -> None:
    connection = await engine.raw_connection()
    driver: Any = connection.driver_connection
    await driver.execute("SET jit = on")
    connection.close()
    async with RequestSession(engine, SCOPE) as session:
        assert await ask(session, text("SHOW jit")) == "off"


async def test_it_takes_no_connection_before_its_first_use(engine: AsyncEngine) -> None:
    connections: list[object] = []
    event.listen(engine.sync_engine, "connect", lambda *args: connections.append(args))
    async with RequestSession(engine, SCOPE) as session:
        assert not connections
        await ask(session)
        assert len(connections) == checked_out(engine) == 1
    assert checked_out(engine) == 0


async def test_a_statement_has_its_time(engine: AsyncEngine) -> None:
    async with RequestSession(engine, HASTY) as session:
        with pytest.raises(StatementTimeoutError) as first:
            await ask(session, text("SELECT pg_sleep(60)"))
        with pytest.raises(StatementTimeoutError) as second:
            await ask(session)
        assert first.value is second.value
    await assert_serves_cleanly(engine)


async def test_siblings_of_a_timeout_get_the_same_error(engine: AsyncEngine) -> None:
    async with RequestSession(engine, HASTY) as session:
        slow = [ask(session, text("SELECT pg_sleep(60)")), *(ask(session) for _ in range(3))]
        answers = await asyncio.gather(*slow, return_exceptions=True)
        assert [type(answer) for answer in answers] == [StatementTimeoutError] * 4
    await assert_serves_cleanly(engine)


async def test_another_error_of_the_database_passes_and_stays(engine: AsyncEngine) -> None:
    async with RequestSession(engine, SCOPE) as session:
        for statement in (text("SELECT * FROM nowhere"), PID):
            with pytest.raises(ProgrammingError, match="nowhere"):
                await ask(session, statement)
    await assert_serves_cleanly(engine)


async def test_an_error_of_the_caller_leaves_the_transaction(engine: AsyncEngine) -> None:
    async with RequestSession(engine, SCOPE) as session:
        with pytest.raises(KeyError):
            async with session.use():
                raise KeyError
        await ask(session)
    await assert_serves_cleanly(engine)


async def test_a_canceled_request_gives_its_connection_back(engine: AsyncEngine) -> None:
    begun = asyncio.Event()
    event.listen(engine.sync_engine, "begin", lambda _: begun.set())
    session = RequestSession(engine, SCOPE)
    task = asyncio.create_task(ask(session, text("SELECT pg_sleep(60)")))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await session.close()
    await assert_serves_cleanly(engine)


async def test_an_exhausted_pool_is_told(engine: AsyncEngine) -> None:
    async with RequestSession(engine, SCOPE) as first, RequestSession(engine, SCOPE) as second:
        await ask(first)
        for _ in range(2):
            with pytest.raises(DatabaseUnavailableError):
                await ask(second)
        await ask(first)
    await assert_serves_cleanly(engine)


async def test_of_two_that_wait_for_each_other_one_is_told(database_url: str) -> None:
    two = create_engine(database_url, EngineOptions(pool_size=2, pool_overflow=0))
    locks = [
        text("SELECT pg_advisory_xact_lock(1)::text"),
        text("SELECT pg_advisory_xact_lock(2)::text"),
    ]
    async with RequestSession(two, SCOPE) as one, RequestSession(two, SCOPE) as other:
        await asyncio.gather(ask(one, locks[0]), ask(other, locks[1]))
        ends = await asyncio.gather(
            ask(one, locks[1]), ask(other, locks[0]), return_exceptions=True
        )
    assert [type(end) for end in ends if end != ""] == [DatabaseUnavailableError]
    assert checked_out(two) == 0
    await two.dispose()


@pytest.mark.parametrize(
    "url", ["postgresql://127.0.0.1:1/away", "postgresql:///away?host=/nowhere/at/all"]
)
async def test_an_unreachable_server_is_told(url: str) -> None:
    engine = create_engine(url, ONE)
    async with RequestSession(engine, SCOPE) as session:
        for _ in range(2):
            with pytest.raises(DatabaseUnavailableError):
                await ask(session)
    await engine.dispose()


async def kill(url: str, pid: int) -> None:
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT pg_terminate_backend($1, 10000)", pid)
    await connection.close()


async def test_a_connection_killed_on_its_way_is_told(
    engine: AsyncEngine, database_url: str
) -> None:
    async with RequestSession(engine, SCOPE) as session:
        await kill(database_url, await ask(session))
        for _ in range(2):
            with pytest.raises(DatabaseUnavailableError):
                await ask(session)
    await assert_serves_cleanly(engine)


async def test_a_connection_killed_while_it_works_is_told(
    engine: AsyncEngine, database_url: str
) -> None:
    async with RequestSession(engine, SCOPE) as session:
        pid = await ask(session)
        sent = asyncio.Event()
        event.listen(engine.sync_engine, "before_cursor_execute", lambda *_: sent.set())
        working = asyncio.create_task(ask(session, text("SELECT pg_sleep(60)")))
        await sent.wait()
        await kill(database_url, pid)
        with pytest.raises(DatabaseUnavailableError):
            await working
    await assert_serves_cleanly(engine)


async def test_a_connection_killed_before_its_end_does_no_harm(
    engine: AsyncEngine, database_url: str
) -> None:
    async with RequestSession(engine, SCOPE) as session:
        await kill(database_url, await ask(session))
    await assert_serves_cleanly(engine)


async def test_a_connection_killed_in_the_pool_is_replaced(
    engine: AsyncEngine, database_url: str
) -> None:
    async with RequestSession(engine, SCOPE) as session:
        first = await ask(session)
    await kill(database_url, first)
    async with RequestSession(engine, SCOPE) as session:
        assert await ask(session) != first


async def test_a_server_without_a_connection_to_spare_is_told(
    cluster_url: str, fresh_database: FreshDatabase
) -> None:
    login = f"joblens_login_{uuid4().hex}"
    admin = await asyncpg.connect(cluster_url)
    await admin.execute(f"CREATE ROLE {login} LOGIN PASSWORD 'secret' CONNECTION LIMIT 0")
    parts = urlsplit(await fresh_database())
    host = parts.netloc.rpartition("@")[2]
    engine = create_engine(urlunsplit(parts._replace(netloc=f"{login}:secret@{host}")), ONE)
    async with RequestSession(engine, SCOPE) as session:
        with pytest.raises(DatabaseUnavailableError):
            await ask(session)
    await engine.dispose()
    await admin.execute(f"DROP ROLE {login}")
    await admin.close()


async def pid_of(engine: AsyncEngine) -> int:
    async with RequestSession(engine, SCOPE) as session:
        return int(await ask(session))


async def until_it_sleeps(url: str) -> None:
    """Wait until PostgreSQL runs the statement."""
    connection = await asyncpg.connect(url)
    sleeping = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event = 'PgSleep'"
    )
    while not await connection.fetchval(sleeping):  # noqa: ASYNC110 - PostgreSQL tells nobody
        await asyncio.sleep(0.01)
    await connection.close()


@pytest.mark.parametrize("arrived", [True, False])
async def test_stopping_cancels_the_statement_and_keeps_the_connection(
    engine: AsyncEngine, database_url: str, arrived: bool
) -> None:
    pid = await pid_of(engine)
    async with RequestSession(engine, SCOPE) as session:
        sent = asyncio.Event()
        event.listen(engine.sync_engine, "before_cursor_execute", lambda *_: sent.set())
        asked = [ask(session, text("SELECT pg_sleep(60)")), ask(session)]
        tasks = [asyncio.create_task(each) for each in asked]
        await sent.wait()
        if arrived:
            await until_it_sleeps(database_url)
        session.stop(StatementTimeoutError())
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(answer) for answer in answers] == [StatementTimeoutError] * 2
        with pytest.raises(StatementTimeoutError):
            await ask(session)
    await assert_serves_cleanly(engine)
    assert await pid_of(engine) == pid


async def test_closing_cancels_what_nobody_waits_for(
    engine: AsyncEngine, database_url: str
) -> None:
    pid = await pid_of(engine)
    session = RequestSession(engine, SCOPE)
    left = asyncio.create_task(ask(session, text("SELECT pg_sleep(60)")))
    await until_it_sleeps(database_url)
    await session.close()
    with pytest.raises(SessionClosedError):
        await left
    await assert_serves_cleanly(engine)
    assert await pid_of(engine) == pid


async def test_all_statements_of_one_who_is_stopped_are_cancelled(
    engine: AsyncEngine, database_url: str
) -> None:
    async def stubborn(session: RequestSession) -> None:
        async with session.use() as begun:
            for _ in range(3):
                try:
                    await begun.execute(text("SELECT pg_sleep(60)"))
                except DBAPIError:
                    await begun.rollback()
                    await begun.connection(execution_options={SCOPE_OPTION: SCOPE})

    session = RequestSession(engine, SCOPE)
    left = asyncio.create_task(stubborn(session))
    await until_it_sleeps(database_url)
    await session.close()
    await left
    await assert_serves_cleanly(engine)


@pytest.mark.parametrize("loses", ["request", "answer", "silence"])
async def test_a_lost_commit_is_told(
    database_url: str, loses: Literal["request", "answer", "silence"]
) -> None:
    options = EngineOptions(pool_size=1, pool_overflow=0, command_timeout_seconds=0.5)
    async with proxy(database_url) as lossy:
        engine = create_engine(lossy.url, options)
        async with RequestSession(engine, SCOPE).writable() as session:
            await ask(session)
            lossy.loses = loses
            with pytest.raises(CommitUncertainError):
                await session.commit()
        lossy.loses, lossy.silent = None, False
        await assert_serves_cleanly(engine)
        await engine.dispose()


async def test_what_was_stopped_is_not_committed(engine: AsyncEngine) -> None:
    async with RequestSession(engine, SCOPE).writable() as session:
        await ask(session)
        session.stop(StatementTimeoutError())
        with pytest.raises(StatementTimeoutError):
            await session.commit()
    await assert_serves_cleanly(engine)


async def test_a_commit_that_has_begun_is_finished(engine: AsyncEngine, database_url: str) -> None:
    owner = await asyncpg.connect(database_url)
    insert = "INSERT INTO job (org_id, type, queue, status) SELECT $1, 't', 'q', 'queued'"
    # COMMIT waits in a trigger, so that there is time to stop it.
    await owner.execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END $$;"
        "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON job DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION slow()"
    )
    try:
        async with RequestSession(engine, SCOPE).writable() as session:
            async with session.use() as begun:
                await begun.execute(text(insert.replace("$1", f"'{ORG}'")))
            committing = asyncio.create_task(session.commit())
            await until_it_sleeps(database_url)
            session.stop(StatementTimeoutError())
            await committing
        assert await owner.fetchval("SELECT count(*) FROM job") == 1
    finally:
        await owner.execute("DROP TRIGGER slow ON job; DROP FUNCTION slow; DELETE FROM job")
        await owner.close()
    await assert_serves_cleanly(engine)


@pytest.mark.direct
async def test_a_connection_that_is_too_old_is_replaced(database_url: str) -> None:
    aging = EngineOptions(pool_size=1, pool_overflow=0, pool_recycle_seconds=0)
    engine = create_engine(database_url, aging)
    pids = set()
    for _ in range(3):
        async with RequestSession(engine, SCOPE) as session:
            pids.add(await ask(session))
    assert len(pids) == 3
    await assert_serves_cleanly(engine)
    await engine.dispose()


async def test_connections_beyond_the_pool_are_closed(database_url: str) -> None:
    engine = create_engine(database_url, EngineOptions(pool_size=1, pool_overflow=2))
    async with (
        RequestSession(engine, SCOPE) as one,
        RequestSession(engine, SCOPE) as two,
        RequestSession(engine, SCOPE) as three,
    ):
        pids = {await ask(each) for each in (one, two, three)}
        assert (len(pids), checked_out(engine)) == (3, 3)
    assert engine.pool.checkedin() == 1  # type: ignore[attr-defined]
    async with RequestSession(engine, SCOPE) as session:
        assert await ask(session) in pids
    await assert_serves_cleanly(engine)
    await engine.dispose()

"""What is sent ahead of a statement, and what nothing waits for."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Integer, Text, column, func, insert, literal, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from db import pipeline as pipeline_module
from db import transactions
from db.database_errors import DatabaseUnavailableError
from db.effort import Effort
from db.engine import PIPELINE, EngineOptions, Scope, TransactionAbortedError, create_engine
from db.pipeline import Pipeline
from db.queries.rows import read_one
from db.request_session import RequestSession
from db.tables import org_table
from joblens import session_scope
from tests.support.background import until
from tests.support.patience import PATIENCE_SECONDS
from tests.support.service import ORG

SCOPE = Scope(UUID(ORG), statement_timeout_seconds=10, scan_timeout_seconds=2)
WRITING = Scope(UUID(ORG), statement_timeout_seconds=10, read_only=False)
SETTINGS = (
    *("joblens.org_id", "role", "jit", "statement_timeout", "plan_cache_mode"),
    *("transaction_isolation", "transaction_read_only"),
)


def setting(name: Any) -> Any:
    return select(func.current_setting(literal(name, Text())))


def asleep(seconds: Any) -> Any:
    return select(func.pg_sleep(literal(seconds, Integer())))


def number(value: Any) -> Any:
    return select(literal(value, Integer()))


def inserted(name: Any) -> Any:
    return (
        insert(org_table)
        .values(org_id=uuid4(), name=literal(name, Text()))
        .returning(org_table.c.org_id)
    )


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(
        database_url, EngineOptions(1, pool_overflow=0, command_timeout_seconds=3_600)
    )
    yield engine
    await engine.dispose()


@pytest.fixture
def waited_for(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the driver sends by the simple protocol, and waits for."""
    sent: list[str] = []
    execute = asyncpg.Connection.execute

    async def recorded(connection: Any, sql: str, *rest: Any, **options: Any) -> Any:
        sent.append(sql)
        return await execute(connection, sql, *rest, **options)

    monkeypatch.setattr(asyncpg.Connection, "execute", recorded)
    return sent


async def serve(engine: AsyncEngine) -> None:
    """Run a request, which must not fail."""
    async with RequestSession(engine, SCOPE) as session, session.use() as begun:
        assert await read_one(begun, number, 7) == 7


async def pipeline_of(engine: AsyncEngine) -> tuple[Any, Pipeline]:
    """Return the only connection, which is idle, and its pipeline."""
    raw = await engine.raw_connection()
    found = raw.driver_connection, raw.info[PIPELINE]
    await found[1].wait()
    raw.close()
    return found


async def test_only_statements_are_waited_for(engine: AsyncEngine, waited_for: list[str]) -> None:
    for _ in range(3):
        async with RequestSession(engine, SCOPE) as session, session.use() as begun:
            assert await read_one(begun, setting, "joblens.org_id") == ORG
            assert await read_one(begun, setting, "transaction_read_only") == "on"
    async with RequestSession(engine, WRITING) as session:
        async with session.use() as begun:
            assert await read_one(begun, setting, "transaction_read_only") == "off"
        await session.commit()
    assert waited_for == ["COMMIT"]
    # A worker gets the errors of BEGIN where it begins.
    async with session_scope(UUID(ORG), engine=engine) as begun:
        assert await read_one(begun, setting, "transaction_read_only") == "off"
    assert waited_for[1:] == [WRITING.begin_sql(), "COMMIT"]


async def test_settings_are_those_of_each_transaction(engine: AsyncEngine) -> None:
    for number_ in range(20):
        scope = Scope(uuid4(), 10 + number_, read_only=bool(number_ % 2), scan_timeout_seconds=2)
        for effort in Effort:
            async with RequestSession(engine, scope) as session, session.use(effort) as begun:
                found = [await read_one(begun, setting, name) for name in SETTINGS]
            seconds = 2 if effort is Effort.SCANNING else 10 + number_
            assert found == [
                *(str(scope.org_id), "joblens_app", "off", f"{seconds}s"),
                "auto" if effort is Effort.STEADY else "force_custom_plan",
                *(("repeatable read", "on") if scope.read_only else ("read committed", "off")),
            ]


async def test_efforts_change_within_a_transaction(
    engine: AsyncEngine, waited_for: list[str]
) -> None:
    async with RequestSession(engine, SCOPE) as session:
        for effort, seconds in ((Effort.STEADY, 10), (Effort.SCANNING, 2), (Effort.VARYING, 10)):
            async with session.use(effort) as begun:
                assert await read_one(begun, setting, "statement_timeout") == f"{seconds}s"
    assert waited_for == []


async def test_efforts_change_where_sqlalchemy_takes_part(engine: AsyncEngine) -> None:
    async with RequestSession(engine, SCOPE) as session:
        for effort, seconds in ((Effort.STEADY, 10), (Effort.SCANNING, 2), (Effort.VARYING, 10)):
            async with session.use(effort) as begun:
                shown = (await begun.execute(text("SHOW statement_timeout"))).scalar_one()
                assert shown == f"{seconds}s"


async def test_sqlalchemy_begins_what_is_pending(engine: AsyncEngine) -> None:
    async with (
        RequestSession(engine, SCOPE) as session,
        session.use(Effort.SCANNING) as begun,
    ):
        shown = text("SELECT current_setting('joblens.org_id'), current_setting('plan_cache_mode')")
        assert (await begun.execute(shown)).one() == (ORG, "force_custom_plan")
        assert await read_one(begun, setting, "role") == "joblens_app"


@pytest.mark.parametrize(
    "begin",
    [
        ["BEGIN ISOLATION LEVEL NO SUCH LEVEL"],
        ["BEGIN READ WRITE", "SET LOCAL ROLE no_such_role"],
        ["BEGIN READ WRITE", "SET LOCAL no_such_setting = 1"],
    ],
)
async def test_a_statement_is_skipped_if_its_begin_fails(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch, begin: list[str]
) -> None:
    name = str(uuid4())
    session = RequestSession(engine, WRITING)
    with monkeypatch.context() as patched:
        patched.setattr(Scope, "begin_statements", lambda *_, **_options: begin)
        # As the login, which is the owner of the tables here.
        with pytest.raises(asyncpg.PostgresError):
            async with session.use() as begun:
                await read_one(begun, inserted, name)
    await session.close()
    async with RequestSession(engine, SCOPE) as session, session.use() as begun:
        assert await read_one(begun, setting, "role") == "joblens_app"
    driver, _ = await pipeline_of(engine)
    assert await driver.fetchval("SELECT count(*) FROM org WHERE name = $1", name) == 0


@pytest.mark.parametrize("by_sqlalchemy", [False, True])
async def test_nothing_runs_after_a_begin_that_failed(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch, by_sqlalchemy: bool
) -> None:
    async def run(begun: AsyncSession, name: str) -> None:
        if by_sqlalchemy:
            await begun.execute(inserted(name))
        else:
            await read_one(begun, inserted, name)

    session, name = RequestSession(engine, WRITING), str(uuid4())
    with monkeypatch.context() as patched:
        patched.setattr(Scope, "begin_statements", lambda *_, **_options: ["BEGIN NONSENSE"])
        async with session.use() as begun:
            with pytest.raises(asyncpg.PostgresSyntaxError):
                await run(begun, name)
    # Its caller has not noticed, and goes on.
    async with session.use() as begun:
        for _ in range(2):
            with pytest.raises(TransactionAbortedError):
                await run(begun, name)
            with pytest.raises(TransactionAbortedError):
                await read_one(begun, setting, "role")
    with pytest.raises(TransactionAbortedError):
        await session.commit()
    await session.close()
    driver, _ = await pipeline_of(engine)
    assert await driver.fetchval("SELECT count(*) FROM org WHERE name = $1", name) == 0


async def test_a_pending_transaction_that_has_ended_is_begun_again(engine: AsyncEngine) -> None:
    async with RequestSession(engine, WRITING) as session:
        async with session.use():
            pass
        await session.commit()
        async with session.use() as begun:
            assert (await begun.execute(text("SHOW role"))).scalar_one() == "joblens_app"
            pid = (await begun.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        await session.commit()
    driver, _ = await pipeline_of(engine)
    assert await driver.fetchval("SELECT pg_backend_pid()") == pid
    assert not driver.is_in_transaction()


async def test_a_connection_that_is_lost_with_the_first_statement(
    engine: AsyncEngine, database_url: str
) -> None:
    async with RequestSession(engine, SCOPE) as session, session.use() as begun:
        pid = await read_one(begun, lambda: select(func.pg_backend_pid()))
        await read_one(begun, asleep, 0)
    ending = await asyncpg.connect(database_url)

    async def sleep() -> None:
        async with RequestSession(engine, SCOPE) as session, session.use() as begun:
            await read_one(begun, asleep, 3_600)

    async def is_asleep() -> bool:
        state = "SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $1"
        return bool(await ending.fetchval(state, pid))

    sleeping = asyncio.create_task(sleep())
    await until(is_asleep)
    await ending.execute(f"SELECT pg_terminate_backend({pid})")
    with pytest.raises(DatabaseUnavailableError):
        await sleeping
    await ending.close()
    await serve(engine)


@pytest.mark.parametrize("end", ["terminate", "abort"])
async def test_a_connection_that_is_lost_before_its_first_statement(
    engine: AsyncEngine, end: str
) -> None:
    await serve(engine)
    driver, _ = await pipeline_of(engine)

    async def lose() -> None:
        async with RequestSession(engine, SCOPE) as session, session.use() as begun:
            # The driver may know it already, or not.
            driver.terminate() if end == "terminate" else driver._transport.abort()
            await read_one(begun, number, 2)

    with pytest.raises(DatabaseUnavailableError):
        await lose()
    await serve(engine)


async def test_an_outdated_plan_is_no_read_only_database(
    engine: AsyncEngine, database_url: str
) -> None:
    def value() -> Any:
        return text("SELECT * FROM outdated").columns(column("value"))

    owner = await asyncpg.connect(database_url)
    await owner.execute("CREATE TABLE outdated (value integer); GRANT ALL ON outdated TO PUBLIC")
    async with RequestSession(engine, WRITING) as session, session.use() as begun:
        await read_one(begun, value)
    await owner.execute("ALTER TABLE outdated ALTER value TYPE text")
    session = RequestSession(engine, WRITING)
    with pytest.raises(asyncpg.InvalidCachedStatementError):
        async with session.use() as begun:
            await read_one(begun, value)
    await session.close()
    await owner.execute("DROP TABLE outdated")
    await owner.close()


async def test_a_value_that_cannot_be_sent(engine: AsyncEngine) -> None:
    async with session_scope(UUID(ORG), engine=engine) as begun:
        # The driver knows its types from now on.
        await read_one(begun, number, 1)
        with pytest.raises(Exception, match="invalid input for query argument"):
            await read_one(begun, number, 2**40)
        assert await read_one(begun, setting, "joblens.org_id") == ORG
    session = RequestSession(engine, SCOPE)
    with pytest.raises(Exception, match="invalid input for query argument"):
        async with session.use() as begun:
            await read_one(begun, number, 2**40)
    await session.close()
    await serve(engine)


async def test_neither_begin_nor_value_can_be_sent(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await serve(engine)
    session = RequestSession(engine, SCOPE)
    with monkeypatch.context() as patched:
        patched.setattr(Scope, "begin_statements", lambda *_, **_options: ["BEGIN NONSENSE"])
        with pytest.raises(Exception, match="invalid input for query argument"):
            async with session.use() as begun:
                await read_one(begun, number, 2**40)
    # PostgreSQL skips what comes until the end of what was sent: a ROLLBACK without it hangs.
    async with asyncio.timeout(PATIENCE_SECONDS):
        await session.close()
    await serve(engine)


async def test_a_rollback_ends_a_transaction_at_once(
    engine: AsyncEngine, database_url: str
) -> None:
    async with RequestSession(engine, SCOPE) as session, session.use() as begun:
        pid = await read_one(begun, lambda: select(func.pg_backend_pid()))
    watching = await asyncpg.connect(database_url)

    async def is_idle() -> bool:
        state = (
            "SELECT state = 'idle' AND backend_xmin IS NULL FROM pg_stat_activity WHERE pid = $1"
        )
        return bool(await watching.fetchval(state, pid))

    await until(is_idle)
    await watching.close()
    driver, _ = await pipeline_of(engine)
    assert await driver.fetchval("SELECT pg_backend_pid()") == pid
    assert not driver.is_in_transaction()


async def test_a_transaction_without_statements_is_none(
    engine: AsyncEngine, waited_for: list[str]
) -> None:
    async with RequestSession(engine, SCOPE) as session, session.use():
        pass
    async with RequestSession(engine, WRITING) as session:
        async with session.use():
            pass
        await session.commit()
    assert waited_for == []
    driver, _ = await pipeline_of(engine)
    assert await driver.fetchval("SELECT current_setting('joblens.org_id', true)") in {None, ""}


async def test_begin_is_waited_for_where_a_connection_may_be_lost(
    engine: AsyncEngine, waited_for: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await serve(engine)
    monkeypatch.setattr(transactions, "TRUSTED_SECONDS", 0.0)
    driver, _ = await pipeline_of(engine)
    driver.terminate()
    await serve(engine)
    assert waited_for == [SCOPE.begin_sql(), SCOPE.begin_sql()]


async def test_an_error_that_nothing_waits_for_closes_the_connection(engine: AsyncEngine) -> None:
    await serve(engine)
    driver, pipeline = await pipeline_of(engine)
    pipeline.send("no statement")
    await pipeline.wait()
    assert driver.is_closed()
    await serve(engine)


async def test_an_answer_that_does_not_come_closes_the_connection(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await serve(engine)
    driver, pipeline = await pipeline_of(engine)
    monkeypatch.setattr(pipeline_module, "ANSWER_SECONDS", 0.05)
    pipeline.send("SELECT pg_sleep(3600)")
    await serve(engine)
    assert driver.is_closed()


class Ends:
    """Both ends of a pipeline: the transport, and the driver with its protocol."""

    def __init__(self) -> None:
        self.received = b""
        self._transport = self._protocol = self

    def set_protocol(self, protocol: Any) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def is_closed(self) -> bool:
        return False

    def write(self, data: bytes) -> None:
        pass

    def data_received(self, data: bytes) -> None:
        assert data
        self.received += data


def message(kind: bytes, content: bytes) -> bytes:
    return kind + (len(content) + 4).to_bytes(4) + content


UNASKED = st.builds(message, st.sampled_from([b"N", b"S", b"A"]), st.binary(max_size=9))
ANSWERS = st.builds(message, st.sampled_from([b"1", b"2", b"C", b"D"]), st.binary(max_size=9))
READY = message(b"Z", b"I")


@given(
    st.lists(st.lists(UNASKED | ANSWERS, max_size=4), max_size=3),
    st.lists(UNASKED | ANSWERS | st.just(READY), max_size=6),
    st.data(),
)
def test_answers_come_in_any_pieces(
    unread: list[list[bytes]], later: list[bytes], data: st.DataObject
) -> None:
    ends = Ends()
    pipeline = Pipeline.attach(ends)
    for _ in unread:
        pipeline.send("ROLLBACK")
    stream = b"".join(b"".join(answer) + READY for answer in unread) + b"".join(later)
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        pipeline.data_received(stream[:size])
        stream = stream[size:]
    unasked = [each for answer in unread for each in answer if each[:1] in {b"N", b"S", b"A"}]
    assert ends.received == b"".join(unasked) + b"".join(later)

"""Isolation: whatever a statement forgets, it sees and writes its own organisation only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from db import migrations
from db.admin_session import admin_session
from db.engine import APP_ROLE, PIPELINE, Scope, create_engine
from db.queries.jobs import list_jobs
from db.queries.keyset import JOBS_NEWEST_FIRST, Window
from db.request_session import RequestSession
from db.retention.policies import Policy
from db.retention.store import set_policy
from db.statuses import TERMINAL_STATUSES
from db.tables import (
    error_group_table,
    error_job_table,
    error_job_tally_table,
    error_tally_table,
    job_event_table,
    job_table,
    metadata,
    org_table,
    retention_policy_table,
    source_table,
    tally_duration_table,
    tally_key_table,
    tally_state_table,
    tally_table,
    token_table,
    type_usual_table,
)
from db.tallies.summing import Outcome, sum_once
from tests.conftest import create_database, database_in, drop_database
from tests.server.auth.minting import mint
from tests.support import ledger
from tests.support.service import ORG, OTHER_ORG

OWN, OTHER = UUID(ORG), UUID(OTHER_ORG)
ENDED = sorted(TERMINAL_STATUSES)
READ = Scope(OWN, statement_timeout_seconds=10)
WRITE = Scope(OWN, statement_timeout_seconds=10, read_only=False)
COUNTS = "SELECT (SELECT count(*) FROM job) + (SELECT count(*) FROM job_event)"
# How many rows of each table are its own.
EXPECTED = {
    job_table: 2,
    job_event_table: 4,
    org_table: 1,
    token_table: 2,
    retention_policy_table: 2,
    tally_state_table: 1,
    # The type, the queue, and both.
    tally_key_table: 3,
    # Of all jobs and of these keys: an hour, a day, and the totals.
    tally_table: 12,
    # Waits of all jobs in an hour and a day, and those of the keys in a day.
    tally_duration_table: 5,
    error_group_table: 1,
    error_tally_table: 1,
    error_job_table: 1,
    error_job_tally_table: 1,
    type_usual_table: 1,
    source_table: 1,
}
DERIVED = (
    "INSERT INTO source (org_id, id, name, kind) VALUES ($1, $1, 'shop', 'river')",
    "INSERT INTO error_group VALUES ($1, $1, 'E', '', '{}', 1, now(), now())",
    "INSERT INTO error_tally VALUES ($1, $1, 1, now(), 1)",
    "INSERT INTO error_job VALUES ($1, $1, 1, 'E', $1, 'failed')",
    "INSERT INTO error_job_tally VALUES ($1, 1, 'E', $1, 'failed', 1)",
    "INSERT INTO type_usual (org_id, type, made_at, wait_sample, run_sample)"
    " VALUES ($1, 'a', now(), 1, 1)",
)
INSUFFICIENT_PRIVILEGE = "42501"
READ_ONLY_TRANSACTION = "25006"


@pytest.fixture(scope="module", autouse=True)
async def _ledger(database_url: str) -> None:
    """Two jobs with two events each for one organisation, three for the other."""
    jobs = [ledger.job(n, org_id=org) for org, n in ((OWN, 2), (OTHER, 3)) for n in range(n)]
    steps = [step for job in jobs for step in ledger.events(job, "queued", "running")]
    await ledger.insert(database_url, jobs, steps)
    for org, tokens in ((ORG, 2), (OTHER_ORG, 3)):
        for _ in range(tokens):
            await mint(database_url, org=org)
    async with admin_session(database_url) as session:
        for org, statuses in ((OWN, ENDED[:2]), (OTHER, ENDED[:3])):
            for status in statuses:
                policy = Policy(uuid4(), status, None, timedelta(days=1))
                await set_policy(session, org, policy, ledger.EPOCH)
    owner = create_engine(database_url)
    for org_id in (OWN, OTHER):
        while (await sum_once(owner, org_id)).outcome is not Outcome.DONE:
            pass
    await owner.dispose()
    connection = await asyncpg.connect(database_url)
    for statement in DERIVED:
        await connection.executemany(statement, [(OWN,), (OTHER,)])
    await connection.close()


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[Any]:
    """A bare connection of the owner; what it does is undone."""
    connection = await asyncpg.connect(database_url)
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


async def run(engine: AsyncEngine, scope: Scope, statement: Any) -> list[Any]:
    """Run one statement as a request does; its transaction is not committed."""
    async with RequestSession(engine, scope) as session, session.use() as begun:
        result = await begun.execute(statement)
        return list(result) if result.returns_rows else [result.rowcount]


def new_job(org_id: UUID) -> Any:
    return insert(job_table).inline().values(org_id=org_id, type="email.send")


def another_event(org_id: UUID, job_id: UUID) -> Any:
    return insert(job_event_table).values(
        org_id=org_id, job_id=job_id, seq=9, next_status="failed", attempt=1
    )


async def test_the_owner_sees_all(owner: Any) -> None:
    assert await owner.fetchval(COUNTS) == 5 + 10


async def test_a_query_that_forgets_its_organisation_finds_its_own(engine: AsyncEngine) -> None:
    assert set(EXPECTED) == set(metadata.sorted_tables)
    for table, expected in EXPECTED.items():
        rows = await run(engine, READ, select(table.c.org_id))
        assert [row.org_id for row in rows] == [OWN] * expected


async def test_a_query_that_names_another_organisation_finds_nothing(engine: AsyncEngine) -> None:
    for table in EXPECTED:
        assert await run(engine, READ, select(table.c.org_id).where(table.c.org_id == OTHER)) == []


async def test_a_list_for_another_organisation_finds_nothing(engine: AsyncEngine) -> None:
    async with RequestSession(engine, READ) as session, session.use() as begun:
        window = Window(JOBS_NEWEST_FIRST, 50)
        assert len(await list_jobs(begun, OWN, None, window, ["type"])) == 2
        assert await list_jobs(begun, OTHER, None, window, ["type"]) == []


@pytest.mark.parametrize("setting", [None, "", OWN, uuid4()])
async def test_the_role_sees_what_its_transaction_names(owner: Any, setting: object) -> None:
    await owner.execute(f"SET LOCAL ROLE {APP_ROLE}")
    if setting is not None:
        await owner.execute(f"SET LOCAL joblens.org_id = '{setting}'")
    assert await owner.fetchval(COUNTS) == (2 + 4 if setting == OWN else 0)


async def test_the_role_writes_nothing_without_an_organisation(owner: Any) -> None:
    await owner.execute(f"SET LOCAL ROLE {APP_ROLE}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await owner.execute("INSERT INTO job (org_id, type) VALUES ($1, 'email.send')", OWN)


async def test_a_row_of_its_own_may_be_written(engine: AsyncEngine) -> None:
    (job_id,) = await run(engine, READ, select(job_table.c.id).limit(1))
    assert await run(engine, WRITE, new_job(OWN)) == [1]
    assert await run(engine, WRITE, another_event(OWN, job_id.id)) == [1]
    assert await run(engine, WRITE, update(job_table).values(priority=3)) == [2]
    assert await run(engine, WRITE, delete(job_table)) == [2]


async def test_a_row_of_another_organisation_may_not_be_written(
    engine: AsyncEngine, owner: Any
) -> None:
    other_job = await owner.fetchval("SELECT id FROM job WHERE org_id = $1 LIMIT 1", OTHER)
    for statement in (
        new_job(OTHER),
        another_event(OTHER, other_job),
        update(job_table).values(org_id=OTHER),
    ):
        with pytest.raises(DBAPIError, match="row-level security") as raised:
            await run(engine, WRITE, statement)
        assert raised.value.orig.sqlstate == INSUFFICIENT_PRIVILEGE  # type: ignore[union-attr]
    for change in (update(job_table).values(priority=3), delete(job_table)):
        assert await run(engine, WRITE, change.where(job_table.c.org_id == OTHER)) == [0]


async def test_only_events_of_a_source_can_be_deleted(engine: AsyncEngine) -> None:
    everything = delete(job_event_table)
    assert await run(engine, WRITE, everything) == [0]
    async with RequestSession(engine, WRITE) as session, session.use() as begun:
        observed = await begun.execute(
            text(
                "UPDATE job SET source_id = id, external_id = 'x' WHERE id = (SELECT id FROM job LIMIT 1) RETURNING id"
            )
        )
        (job_id,) = observed.scalars()
        deleted = await begun.execute(everything.returning(job_event_table.c.job_id))
        assert set(deleted.scalars()) == {job_id}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE job_event SET attempt = 0",
        "TRUNCATE job_event",
        "TRUNCATE job CASCADE",
        "INSERT INTO token (org_id, id, hash, name, roles) VALUES (gen_random_uuid(),"
        " gen_random_uuid(), sha256('x'), 'x', '{admin}')",
        "UPDATE token SET roles = '{admin}'",
        "UPDATE token SET revoked_at = NULL",
        "UPDATE token SET org_id = gen_random_uuid()",
        "DELETE FROM token",
        "INSERT INTO org (org_id, name) VALUES (gen_random_uuid(), 'x')",
        "UPDATE org SET name = 'x'",
        "DELETE FROM org",
        "UPDATE alembic_version SET version_num = '0'",
        "ALTER TABLE job DISABLE ROW LEVEL SECURITY",
        "DROP TABLE job_event",
        "CREATE TABLE more (id int)",
    ],
)
async def test_tokens_events_and_the_schema_are_out_of_reach(
    engine: AsyncEngine, statement: str
) -> None:
    with pytest.raises(DBAPIError) as raised:
        await run(engine, WRITE, text(statement))
    assert raised.value.orig.sqlstate == INSUFFICIENT_PRIVILEGE  # type: ignore[union-attr]


async def test_only_own_tokens_are_noted_as_used(engine: AsyncEngine) -> None:
    use = update(token_table).values(last_used_at=datetime.now(UTC))
    assert await run(engine, WRITE, use) == [2]
    assert await run(engine, WRITE, use.where(token_table.c.org_id == OTHER)) == [0]


@pytest.mark.parametrize(
    "statement", [new_job(OWN), update(job_table).values(priority=3), delete(job_table)]
)
async def test_a_reading_transaction_refuses_writes(engine: AsyncEngine, statement: Any) -> None:
    with pytest.raises(DBAPIError) as raised:
        await run(engine, READ, statement)
    assert raised.value.orig.sqlstate == READ_ONLY_TRANSACTION  # type: ignore[union-attr]


async def test_the_role_is_bound(owner: Any) -> None:
    role = await owner.fetchrow("SELECT * FROM pg_roles WHERE rolname = $1", APP_ROLE)
    powers = ("canlogin", "super", "bypassrls", "createrole", "createdb", "replication", "inherit")
    assert [power for power in powers if role[f"rol{power}"]] == []
    assert await owner.fetchval(
        "SELECT bool_and(relrowsecurity AND relowner <> $1::text::regrole) FROM pg_class"
        " WHERE oid = ANY($2::text[]::regclass[])",
        APP_ROLE,
        list(metadata.tables),
    )


async def test_the_role_cannot_log_in(database_url: str) -> None:
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="not permitted"):
        await asyncpg.connect(database_url, user=APP_ROLE)


async def test_one_connection_carries_nothing_over(database_url: str, owner: Any) -> None:
    engine = create_engine(database_url)
    state = text(
        "SELECT pg_backend_pid() AS pid, current_user AS role,"
        " current_setting('joblens.org_id') AS org, current_setting('statement_timeout') AS timeout,"
        " current_setting('transaction_isolation') AS isolation,"
        " current_setting('transaction_read_only') AS read_only"
    )
    (first,) = await run(engine, READ, state)
    (second,) = await run(engine, Scope(OTHER, 2, read_only=False), state)
    assert first == (first.pid, APP_ROLE, ORG, "10s", "repeatable read", "on")
    assert second == (first.pid, APP_ROLE, OTHER_ORG, "2s", "read committed", "off")
    connection = await engine.raw_connection()
    await connection.info[PIPELINE].wait()
    left = await connection.driver_connection.fetchrow(  # type: ignore[union-attr]
        "SELECT pg_backend_pid(), current_user, current_setting('joblens.org_id', true),"
        " current_setting('statement_timeout')"
    )
    login = await owner.fetchval("SELECT current_user")
    assert tuple(left) == (first.pid, login, "", "0")
    connection.close()
    await engine.dispose()


@asynccontextmanager
async def plain_login(cluster: str) -> AsyncIterator[tuple[Any, str, str]]:
    """Yield an administrator, a login that may make roles, and the URL of a database it owns."""
    name = await create_database(cluster)
    login = f"joblens_login_{uuid4().hex}"
    admin = await asyncpg.connect(cluster)
    await admin.execute(f"CREATE ROLE {login} LOGIN CREATEROLE PASSWORD 'secret'")
    await admin.execute(f"ALTER DATABASE {name} OWNER TO {login}")
    parts = urlsplit(database_in(cluster, name))
    host = parts.netloc.rpartition("@")[2]
    yield admin, login, urlunsplit(parts._replace(netloc=f"{login}:secret@{host}"))
    await drop_database(cluster, name)
    await admin.execute(f"DROP ROLE {login}")
    await admin.close()


async def assert_migrates_and_serves(url: str) -> None:
    await migrations.upgrade(url)
    await ledger.insert(url, [ledger.job(), ledger.job(org_id=OTHER)])
    engine = create_engine(url)
    assert [row.org_id for row in await run(engine, READ, select(job_table.c.org_id))] == [OWN]
    await engine.dispose()
    await migrations.downgrade(url, "base")
    assert await migrations.current(url) is None


@pytest.mark.direct
async def test_an_owner_without_privileges_makes_the_role(other_cluster: str) -> None:
    async with plain_login(other_cluster) as (_, _, url):
        await assert_migrates_and_serves(url)


async def test_an_owner_without_privileges_is_given_the_role(
    cluster_url: str, template: str
) -> None:
    # The template's owner made the role, so that only an administrator may hand it on.
    async with plain_login(cluster_url) as (admin, login, url):
        await admin.execute(f"GRANT {APP_ROLE}, joblens_search TO {login}")
        await assert_migrates_and_serves(url)

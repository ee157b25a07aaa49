"""Summing in the background: by which logins, of which organisations, and when not."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from db.criteria import JobCriteria, TextCriteria
from db.engine import Scope, create_engine
from db.queries.jobs import count_jobs
from db.queries.tallies import open_tallies
from db.request_session import RequestSession
from db.restored_events import clear_transaction_ids
from db.session_scope import session_scope
from db.tallies.keys import OTHERS
from db.tallies.summing import Outcome, sum_once
from db.tallies.tallier import Tallier, list_untallied_orgs
from db.transfer import import_records
from tests.conftest import FreshDatabase
from tests.support.background import running, until
from tests.support.ledger import EPOCH, events, insert, job

READ = """
SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'job_event'
"""
FOREIGN = "UPDATE job_event SET xid = '9000000000000000' WHERE org_id = $1 AND seq = 1"


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


async def fill(url: str, *pairs: tuple[str, str]) -> UUID:
    """Make an organisation with a job of each type and queue."""
    org_id = uuid4()
    jobs = [job(n, org_id=org_id, type=t, queue=q) for n, (t, q) in enumerate(pairs)]
    await insert(url, jobs, [step for row in jobs for step in events(row, "queued")])
    return org_id


async def sum_all(engine: AsyncEngine, org_id: UUID, **limits: int) -> None:
    while (step := await sum_once(engine, org_id, **limits)).outcome is not Outcome.DONE:
        assert step.outcome is Outcome.MORE


async def is_tallied(engine: AsyncEngine, org_id: UUID) -> bool:
    async with RequestSession(engine, Scope(org_id, 60)) as session, session.use() as begun:
        return await open_tallies(begun, org_id, None) is not None


async def is_up_to_date(engine: AsyncEngine, org_id: UUID) -> bool:
    return org_id not in await list_untallied_orgs(engine)


async def test_all_organisations_are_summed_again_and_again(
    database_url: str, engine: AsyncEngine
) -> None:
    org_ids = [await fill(database_url, ("a", "q")) for _ in range(3)]
    # Two processes, as two workers of serve.
    talliers = [Tallier(database_url, interval_seconds=0.01) for _ in range(2)]
    async with running(*talliers):
        for org_id in org_ids:
            await until(partial(is_tallied, engine, org_id))
        late = job(5, org_id=org_ids[1])
        await insert(database_url, [late], events(late, "queued"))
        await until(partial(is_up_to_date, engine, org_ids[1]))
    assert not set(org_ids) & set(await list_untallied_orgs(engine))


async def test_it_goes_on_after_an_error(
    database_url: str, engine: AsyncEngine, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.background_task.RETRY_SECONDS", 0.01)
    org_id = await fill(database_url, ("a", "q"))
    await owner.execute("ALTER TABLE tally RENAME TO hidden")
    async with running(Tallier(database_url, interval_seconds=0.01)):
        await asyncio.sleep(0.1)
        await owner.execute("ALTER TABLE hidden RENAME TO tally")
        await until(partial(is_tallied, engine, org_id))


async def test_what_is_summed_is_not_read_again(fresh_database: FreshDatabase) -> None:
    """Each second, of a ledger with one organisation, whose statistics say nothing of it."""
    url = await fresh_database()
    org_id = await fill(url, *[("a", "q")] * 5_000)
    owner = await asyncpg.connect(url)

    async def is_past() -> bool:
        """Whether no transaction that is as old as these events still runs, in any database."""
        xmin = "SELECT pg_snapshot_xmin(pg_current_snapshot()) > max(xid) FROM job_event"
        return bool(await owner.fetchval(xmin))

    await until(is_past)
    engine = create_engine(url)
    await sum_all(engine, org_id)
    await engine.dispose()
    await owner.execute("VACUUM ANALYZE")
    async with owner.transaction():
        # What earlier transactions read may not be written yet, and still count as this one's.
        before = await owner.fetchval(READ)
        assert await owner.fetch("SELECT untallied_orgs()") == []
        # The first and the last of the organisation.
        assert await owner.fetchval(READ) - before <= 2
        late = "INSERT INTO job_event SELECT org_id, job_id, 2, ts, next_status, 'running', 1 FROM job_event"
        await owner.execute(f"{late} LIMIT 1")
    async with owner.transaction():
        before = await owner.fetchval(READ)
        assert await owner.fetch("SELECT untallied_orgs()") == [(org_id,)]
        assert await owner.fetchval(READ) - before <= 3
    await owner.close()


async def test_the_login_that_serves_may_sum(database_url: str, owner: Any) -> None:
    org_id = await fill(database_url, ("a", "q"))
    name = f"joblens_test_{uuid4().hex}"
    await owner.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{name}' IN ROLE joblens_app")
    parts = urlsplit(database_url)
    engine = create_engine(
        urlunsplit(parts._replace(netloc=f"{name}:{name}@{parts.netloc.rpartition('@')[2]}"))
    )
    assert org_id in await list_untallied_orgs(engine)
    await sum_all(engine, org_id)
    assert await is_tallied(engine, org_id)
    await engine.dispose()
    await owner.execute(f"REVOKE joblens_app FROM {name}; SET ROLE {name}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await owner.execute("SELECT untallied_orgs()")
    await owner.execute("RESET ROLE")
    await owner.execute(f"DROP ROLE {name}")


async def test_events_of_another_server_are_not_summed(
    database_url: str, engine: AsyncEngine, owner: Any
) -> None:
    org_id = await fill(database_url, ("a", "q"), ("b", "q"))
    await owner.execute(FOREIGN, org_id)
    assert (await sum_once(engine, org_id)).outcome is Outcome.FOREIGN
    await clear_transaction_ids(database_url)
    await sum_all(engine, org_id)
    # Restored into a ledger that has sums: it is not known which of them have these events.
    await owner.execute(FOREIGN, org_id)
    assert (await sum_once(engine, org_id)).outcome is Outcome.FOREIGN
    await clear_transaction_ids(database_url)
    assert not await is_tallied(engine, org_id)
    await sum_all(engine, org_id)


async def test_sums_restored_from_another_server_are_made_again(
    database_url: str, engine: AsyncEngine, owner: Any
) -> None:
    org_id = await fill(database_url, ("a", "q"))
    await sum_all(engine, org_id)
    await owner.execute("UPDATE tally_state SET cluster = cluster + 1 WHERE org_id = $1", org_id)
    await owner.execute("UPDATE tally SET created = 99 WHERE org_id = $1", org_id)
    assert not await is_tallied(engine, org_id)
    assert org_id in await list_untallied_orgs(engine)
    await sum_all(engine, org_id)
    sums = await owner.fetch("SELECT created FROM tally WHERE org_id = $1", org_id)
    assert {row["created"] for row in sums} == {1}


async def test_keys_are_bounded(database_url: str, engine: AsyncEngine, owner: Any) -> None:
    many = [("busy", f"q{n}") for n in range(30)] + [(f"t{n}", "q") for n in range(30)]
    org_id = await fill(database_url, ("busy", "q0"), *many)
    await sum_all(engine, org_id, max_keys=5)
    rows = await owner.fetch("SELECT type, queue FROM tally_key WHERE org_id = $1", org_id)
    pairs = {tuple(row) for row in rows if None not in tuple(row)}
    # The largest one got its own.
    assert ("busy", "q0") in pairs
    assert {("busy", OTHERS), (OTHERS, OTHERS)} < pairs
    assert len(pairs) <= 5 + len({type_ for type_, _ in pairs})
    # And each type and each queue of a pair.
    types, queues = map(set, zip(*pairs, strict=True))
    assert len(rows) == len(pairs) + len(types) + len(queues)
    for type_, expected in (("busy", 31), ("t7", 1), (OTHERS, 0), ("none", 0)):
        criteria = JobCriteria(type=TextCriteria(eq=type_))
        async with RequestSession(engine, Scope(org_id, 60)) as session, session.use() as begun:
            assert await count_jobs(begun, org_id, criteria, None) == expected


@pytest.mark.parametrize("moved", ["type", "queue"])
async def test_an_import_that_moves_a_job_lets_its_sums_be_made_again(
    database_url: str, engine: AsyncEngine, moved: str
) -> None:
    org_id = uuid4()
    record: dict[str, Any] = {
        "id": str(uuid4()),
        "type": "a",
        "queue": "q",
        "status": "queued",
        "created_at": EPOCH.isoformat(),
        "events": [{"ts": EPOCH.isoformat(), "next_status": "queued"}],
    }
    await import_records(database_url, org_id, [dumped(record)])
    await sum_all(engine, org_id)
    later = (EPOCH + timedelta(minutes=1)).isoformat()
    started = {"ts": later, "prev_status": "queued", "next_status": "running", "attempt": 1}
    record |= {"status": "running", "attempt": 1, "started_at": later}
    record["events"].append(started)
    await import_records(database_url, org_id, [dumped(record)])
    assert await is_tallied(engine, org_id)
    ended = (EPOCH + timedelta(minutes=2)).isoformat()
    record["events"].append(
        {"ts": ended, "prev_status": "running", "next_status": "succeeded", "attempt": 1}
    )
    record |= {"status": "succeeded", "finished_at": ended, moved: "other"}
    await import_records(database_url, org_id, [dumped(record)])
    assert not await is_tallied(engine, org_id)


def dumped(record: dict[str, Any]) -> bytes:
    return orjson.dumps(record)


async def test_writers_do_not_use_sums(database_url: str, engine: AsyncEngine) -> None:
    """Their statements see different snapshots."""
    org_id = await fill(database_url, ("a", "q"))
    await sum_all(engine, org_id)
    async with session_scope(org_id, engine=engine) as session:
        assert await open_tallies(session, org_id, None) is None


async def test_an_unknown_failure_is_raised(engine: AsyncEngine, owner: Any) -> None:
    await owner.execute("ALTER TABLE tally_state RENAME TO hidden")
    with pytest.raises(DBAPIError):
        await sum_once(engine, uuid4())
    await owner.execute("ALTER TABLE hidden RENAME TO tally_state")


async def test_a_long_transaction_beside(
    database_url: str, engine: AsyncEngine, owner: Any
) -> None:
    """Nothing is summed twice while it is open, and its own events once it has committed."""
    org_id = await fill(database_url, ("a", "q"))
    await sum_all(engine, org_id)
    late = await asyncpg.connect(database_url)
    await late.execute("BEGIN")
    other = job(7, org_id=org_id)
    await late.execute(INSERT_JOB, org_id, other["id"], other["created_at"])
    for number in range(3):
        await insert_one(database_url, org_id)
        assert await counted(engine, org_id) == 2 + number
        await sum_all(engine, org_id)
        assert await counted(engine, org_id) == 2 + number
    await late.execute("COMMIT")
    await late.close()
    assert await counted(engine, org_id) == 5
    await sum_all(engine, org_id)
    assert await counted(engine, org_id) == 5
    sums = "SELECT created FROM tally WHERE org_id = $1 AND key_id = 0 AND span = 0"
    assert await owner.fetchval(sums, org_id) == 5


INSERT_JOB = """
WITH made AS (
    INSERT INTO job (org_id, id, type, created_at, event_seq) VALUES ($1, $2, 'late', $3, 1)
)
INSERT INTO job_event (org_id, job_id, seq, ts, next_status, attempt)
VALUES ($1, $2, 1, $3, 'queued', 0)
"""


async def insert_one(url: str, org_id: UUID) -> None:
    row = job(9, org_id=org_id)
    await insert(url, [row], events(row, "queued"))


async def counted(engine: AsyncEngine, org_id: UUID) -> int:
    async with RequestSession(engine, Scope(org_id, 60)) as session, session.use() as begun:
        assert await open_tallies(begun, org_id, None) is not None
        return await count_jobs(begun, org_id, None, None)

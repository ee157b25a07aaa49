"""The ledger of ten million jobs: made once by PostgreSQL, kept, and migrated when it is used."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from benchmarks import ledger, scale_now
from benchmarks.scale_data import INSERT_EVENTS, INSERT_JOBS, INSERT_ORGS, MIDDLE, SHARES
from db import embedded, migrations

DATA_DIR = Path(__file__).parents[1] / "build" / "bench-scale"
# Without a log of what is written: a broken run starts again. Only while the ledger is made.
QUICK = {
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "fsync": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
}
SESSION = (
    # What is made here is consistent: nothing is checked row by row.
    "SET session_replication_role = replica",
    "SET maintenance_work_mem = '1GB'",
    "SET work_mem = '256MB'",
)


@asynccontextmanager
async def ledger_at(data_dir: Path) -> AsyncIterator[str]:
    """Yield the URL of the filled, migrated database; make what is missing."""
    server = await asyncio.to_thread(embedded.start, data_dir)
    try:
        if await _mark(server.url) != _wanted_mark():
            server = await _restarted(data_dir, server, QUICK)
            await _make(server.url)
            server = await _restarted(data_dir, server, dict.fromkeys(QUICK))
            await _set_mark(server.url)
        await migrations.upgrade(server.url)
        await scale_now.relate(server.url)
        yield server.url
    finally:
        await asyncio.to_thread(server.stop)


async def _restarted(
    data_dir: Path, server: embedded.EmbeddedPostgres, settings: dict[str, str | None]
) -> embedded.EmbeddedPostgres:
    """Set these settings, or reset those that are None, and restart the server."""
    async with ledger.connected(server.url) as connection:
        for name, value in settings.items():
            how = f"RESET {name}" if value is None else f"SET {name} = {value}"
            await connection.execute(f"ALTER SYSTEM {how}")
    await asyncio.to_thread(server.stop)
    return await asyncio.to_thread(embedded.start, data_dir)


async def _mark(url: str) -> Any:
    async with ledger.connected(url) as connection:
        return await connection.fetchval(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database "
            "WHERE datname = current_database()"
        )


async def _set_mark(url: str) -> None:
    name = urlsplit(url).path[1:]
    async with ledger.connected(url) as connection:
        await connection.execute(f"COMMENT ON DATABASE {name} IS '{_wanted_mark()}'")


def _wanted_mark() -> str:
    """Hash what the ledger is made from. Later migrations are applied to one that exists."""
    made_from = f"{INSERT_JOBS}{INSERT_EVENTS}{INSERT_ORGS}{SHARES}"
    return f"benchmark ledger {sha256(made_from.encode()).hexdigest()}"


async def _make(url: str) -> None:
    await ledger.recreate(url)
    async with ledger.connected(url) as connection:
        for statement in SESSION:
            await connection.execute(statement)
        await connection.execute("SELECT setseed(0.5)")
        await connection.execute(INSERT_ORGS)
        later = await _dropped(connection)
        # Tables that are emptied in the same transaction are filled without a log.
        async with connection.transaction():
            await connection.execute("TRUNCATE job, job_event")
            for share in SHARES:
                await _told(connection, INSERT_JOBS, share.jobs, share.first_org, share.orgs)
            await _told(connection, INSERT_EVENTS)
        for table in ("job", "job_event"):
            await _told(connection, f"VACUUM (FREEZE, ANALYZE) {table}")
        for statement in later:
            await _told(connection, statement)
        # Again, now for the expressions of indexes.
        await _told(connection, "ANALYZE job")
        await _check(connection)
        await _told(connection, "CHECKPOINT")


async def _told(connection: asyncpg.Connection, statement: str, *arguments: Any) -> None:
    """Run a statement, and say how long it took."""
    started = time.perf_counter()
    await connection.execute(statement, *arguments)
    what = " ".join(statement.split())[:90]
    print(f"{time.perf_counter() - started:6.1f} s  {what}", file=sys.stderr, flush=True)


async def _dropped(connection: asyncpg.Connection) -> Iterable[str]:
    """Drop the keys and indexes of both tables; return the statements that make them again."""
    constraints = await connection.fetch(
        "SELECT conrelid::regclass AS held_by, conname, pg_get_constraintdef(oid) AS definition "
        "FROM pg_constraint WHERE contype IN ('p', 'f') "
        "AND conrelid IN ('job'::regclass, 'job_event'::regclass) ORDER BY contype, conrelid"
    )
    indexes = await connection.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ('job', 'job_event') "
        "AND indexname NOT IN (SELECT conname FROM pg_constraint) ORDER BY indexname"
    )
    for each in constraints:
        await connection.execute(f"ALTER TABLE {each['held_by']} DROP CONSTRAINT {each['conname']}")
    for each in indexes:
        await connection.execute(f"DROP INDEX {each['indexname']}")
    # Primary keys, which foreign keys need, sort after them.
    return [
        f"ALTER TABLE {each['held_by']} ADD CONSTRAINT {each['conname']} {each['definition']}"
        for each in reversed(constraints)
    ] + [each["indexdef"] for each in indexes]


async def _check(connection: asyncpg.Connection) -> None:
    """Raise an error unless each job's events are a chain that ends in its status."""
    wrong = await connection.fetchval(
        "SELECT count(*) FROM (SELECT *, lag(next_status) OVER job AS before, lag(ts) OVER job "
        "AS earlier FROM job_event WHERE org_id = $1 WINDOW job AS (PARTITION BY job_id "
        "ORDER BY seq)) AS event JOIN job ON job.org_id = $1 AND job.id = event.job_id "
        "WHERE job.org_id = $1 AND (event.before IS DISTINCT FROM event.prev_status "
        "OR event.earlier > event.ts OR (event.seq = job.event_seq AND "
        "(job.status, job.updated_at, job.attempt) "
        "IS DISTINCT FROM (event.next_status, event.ts, event.attempt)))",
        MIDDLE,
    )
    if wrong:
        raise RuntimeError(f"{wrong} events do not fit their jobs")

"""The data: 200,000 jobs with 8 events each, made once by PostgreSQL itself and then kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg

from db import embedded, migrations
from db.tallies.summing import Outcome, sum_once
from db.tallies.tallier import create_tally_engine

DATA_DIR = Path(__file__).parents[1] / "build" / "bench"
ORG = UUID("00000000-0000-0000-0000-000000000001")
JOBS = 200_000
EVENTS_PER_JOB = 8

# Squares of random numbers make the first types and queues much more frequent than the last.
_JOBS = f"""
INSERT INTO job (
    org_id, id, type, queue, status, priority, attempt, max_attempts, idempotency_key,
    requested_by, payload, result, last_error_code, last_error_message, event_seq,
    created_at, updated_at, scheduled_at, started_at, finished_at
)
SELECT '{ORG}',
    (lpad(to_hex((extract(epoch FROM created) * 1000)::bigint), 12, '0')
        || '7' || substr(hash, 1, 3) || '8' || substr(hash, 4, 15))::uuid,
    (ARRAY['email.send', 'image.resize', 'report.build', 'invoice.render', 'webhook.deliver',
        'search.index', 'video.encode', 'backup.run', 'user.export', 'cache.warm',
        'payment.settle', 'model.train'])[1 + floor(12 * kind * kind)::int],
    (ARRAY['default', 'mail', 'media', 'reports', 'slow'])[1 + floor(5 * kind * kind)::int],
    status, CASE WHEN n % 20 = 0 THEN 10 ELSE 0 END, 2, 5,
    CASE WHEN n % 3 = 0 THEN 'key-' || n END,
    CASE WHEN n % 4 > 0 THEN 'service-' || n % 25 END,
    jsonb_build_object('account', n % 5000, 'items', jsonb_build_array(n, n + 1, n + 2),
        'note', 'made for the benchmark, job ' || n),
    CASE WHEN status = 'succeeded' THEN jsonb_build_object('bytes', n * 17 % 900001) END,
    CASE WHEN broken THEN (ARRAY['TIMEOUT', 'CONNECTION_RESET', 'OUT_OF_MEMORY'])[1 + n % 3] END,
    CASE WHEN broken THEN 'the worker gave up after ' || n % 300 || ' seconds' END,
    8, created, created + 8 * step,
    CASE WHEN n % 10 = 0 THEN created + interval '1 second' END,
    CASE WHEN status <> 'queued' THEN created + 5 * step END,
    CASE WHEN status NOT IN ('queued', 'running') THEN created + 8 * step END
FROM (
    SELECT n, md5(n::text) AS hash, random() AS kind,
        CASE WHEN luck < 0.88 THEN 'succeeded' WHEN luck < 0.93 THEN 'failed'
            WHEN luck < 0.95 THEN 'canceled' WHEN luck < 0.96 THEN 'dead_letter'
            WHEN luck < 0.97 THEN 'running' ELSE 'queued' END AS status,
        luck BETWEEN 0.88 AND 0.93 OR luck BETWEEN 0.95 AND 0.96 AS broken,
        timestamptz '2026-01-01 00:00:00.000001+00' + n * interval '12.345678 seconds' AS created,
        (1 + luck * 40) * interval '1.000001 seconds' AS step
    FROM (SELECT n, random() AS luck FROM generate_series(1, {JOBS}) AS n)
)
"""

# A failed first run, a second one that is under way, and how that ended.
_EVENTS = """
INSERT INTO job_event (org_id, job_id, seq, ts, prev_status, next_status, attempt, detail)
SELECT org_id, id, seq, created_at + (updated_at - created_at) / 8 * seq, path[seq - 1], path[seq],
    (ARRAY[0, 1, 1, 1, 2, 2, 2, 2])[seq],
    CASE WHEN seq IN (3, 8) THEN jsonb_build_object('error_code', 'TIMEOUT', 'after', seq * 10)
        ELSE jsonb_build_object('worker', 'worker-' || event_seq + seq) END
FROM job
CROSS JOIN LATERAL (SELECT ARRAY['queued', 'running', 'failed', 'queued', 'running', 'running']
    || CASE status WHEN 'dead_letter' THEN ARRAY['failed', 'dead_letter']
        WHEN 'queued' THEN ARRAY['failed', 'queued'] ELSE ARRAY['running', status] END AS path)
CROSS JOIN generate_series(1, 8) AS seq
"""


@asynccontextmanager
async def ledger() -> AsyncIterator[str]:
    """Yield the URL of the filled database; the first time, or after a broken run, fill it."""
    server = await asyncio.to_thread(embedded.start, DATA_DIR)
    try:
        if not await _is_complete(server.url):
            await _make(server.url)
        yield server.url
    finally:
        await asyncio.to_thread(server.stop)


@asynccontextmanager
async def empty_database(url: str) -> AsyncIterator[str]:
    """Yield the URL of a migrated, empty database beside that of `url`; drop it afterwards."""
    name = "joblens_bench_import"
    async with connected(url) as connection:
        await connection.execute(f"DROP DATABASE IF EXISTS {name}")
        await connection.execute(f"CREATE DATABASE {name}")
    fresh = _beside(url, name)
    await migrations.upgrade(fresh)
    yield fresh
    async with connected(url) as connection:
        await connection.execute(f"DROP DATABASE {name}")


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Yield a connection as the owner."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


def postmaster() -> int:
    """Get the process id of the server that has the ledger."""
    return int((DATA_DIR / "postgres" / "postmaster.pid").read_text().split()[0])


async def _is_complete(url: str) -> bool:
    async with connected(url) as connection:
        mark = await connection.fetchval(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database "
            "WHERE datname = current_database()"
        )
    return bool(mark == _mark())


def _mark() -> str:
    """Hash what a finished ledger is made from: other tables or other data make another one."""
    made_from = f"{migrations.sql()}{_JOBS}{_EVENTS}"
    return f"benchmark ledger {sha256(made_from.encode()).hexdigest()}"


async def sum_all(url: str, org_id: UUID) -> None:
    """Make all sums of an organisation, so that no server does while it is measured."""
    engine = create_tally_engine(url)
    try:
        while (await sum_once(engine, org_id)).outcome is not Outcome.DONE:
            pass
    finally:
        await engine.dispose()


async def recreate(url: str) -> None:
    """Drop the database, and make a migrated, empty one."""
    name = urlsplit(url).path[1:]
    async with connected(_beside(url, "postgres")) as connection:
        await connection.execute(f"DROP DATABASE IF EXISTS {name}")
        await connection.execute(f"CREATE DATABASE {name}")
    await migrations.upgrade(url)


async def _make(url: str) -> None:
    await recreate(url)
    name = urlsplit(url).path[1:]
    async with connected(url) as connection:
        # What is made here is consistent: its foreign keys need no check.
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("SELECT setseed(0.5)")
        await connection.execute(_JOBS)
        await connection.execute(_EVENTS)
        await sum_all(url, ORG)
        await connection.execute("VACUUM (ANALYZE)")
        await connection.execute("CHECKPOINT")
        await connection.execute(f"COMMENT ON DATABASE {name} IS '{_mark()}'")


def _beside(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))

"""What the ledger of ten million jobs has beside old jobs: relations, workers, and a last hour.

Relations are given once, to some of the newest jobs. What happened lately is made for each run.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks import ledger
from benchmarks.scale_data import JOBS, JOBS_OF_MIDDLE, LARGE, MIDDLE, QUEUES, TYPES
from db.commands.deletion import delete_jobs
from db.engine import Scope
from db.error_groups.fingerprints import fingerprint_of
from db.request_session import RequestSession
from db.tallies.tallier import create_tally_engine

# The share of an organisation's jobs that get relations: the newest.
RELATED = 0.03
BATCH, ROOT = "import", "root"
# How many jobs ran in each of the last minutes; no sum has those of the last one yet.
MINUTES, PER_MINUTE, PER_MINUTE_OF_MIDDLE = 15, 1_150, 12
_RECENT = "of the last minutes"
_DELETED_AT_ONCE = 2_000

# The first third of these jobs: children of ten each; one batch; small batches, and one
# parent with many children. Queued ones get a time in the future, running ones tell of progress.
_RELATE = f"""
UPDATE job SET
    worker = CASE WHEN attempt > 0 THEN 'worker-' || n % 300 END,
    parent_id = CASE WHEN third = 0 AND n % 10 > 0 THEN own.tenth
        WHEN third = 2 AND n % 10 = 1 THEN own.root END,
    batch = CASE third WHEN 1 THEN '{BATCH}' WHEN 2 THEN 'batch-' || n / 200 END,
    tags = CASE WHEN own.id = own.root THEN '["{ROOT}"]'::jsonb
        WHEN n % 3 = 0 THEN jsonb_build_array('eu', 'tier-' || n % 5) END,
    scheduled_at = CASE WHEN status = 'queued' AND n % 25 = 0 THEN timestamptz '2100-01-01'
        ELSE scheduled_at END,
    progress_fraction = CASE WHEN status = 'running' AND n % 2 = 0 THEN n % 100 / 100.0 END,
    progress_at = CASE WHEN status = 'running' AND n % 2 = 0 THEN updated_at END
FROM (
    SELECT *, first_value(id) OVER (PARTITION BY n / 10 ORDER BY n) AS tenth,
        max(id::text) FILTER (WHERE n = $2 / 3 * 2) OVER ()::uuid AS root,
        least(n / ($2 / 3), 2) AS third
    FROM (
        SELECT id, row_number() OVER (ORDER BY created_at DESC, id DESC) - 1 AS n FROM job
        WHERE org_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2
    ) AS numbered
) AS own
WHERE job.org_id = $1 AND job.id = own.id
"""
_IS_RELATED = "SELECT EXISTS (SELECT FROM job WHERE org_id = $1 AND batch = $2)"

ERROR = "GAVE_UP", "the worker 7 gave up"
# Three changes of each job, between two times.
_INSERT_JOBS = f"""
INSERT INTO job (
    org_id, id, type, queue, status, attempt, max_attempts, requested_by, worker, payload, tags,
    last_error_code, last_error_message, error_group, event_seq,
    created_at, updated_at, queued_at, started_at, finished_at
)
SELECT $1, (lpad(to_hex((extract(epoch FROM created) * 1000)::bigint), 12, '0')
        || '7' || substr(hash, 1, 3) || '8' || substr(hash, 4, 15))::uuid,
    ({TYPES})[1 + floor(20 * kind * kind)::int], ({QUEUES})[1 + floor(14 * way * way)::int],
    CASE WHEN fails THEN 'failed' ELSE 'succeeded' END, 1, 5, $2, 'worker-' || n % 300,
    jsonb_build_object(
        'order', 1000000000 + n, 'customer', n % 49999, 'region', 'region-' || n % 11),
    CASE WHEN n % 3 = 0 THEN jsonb_build_array('eu', 'tier-' || n % 5) END,
    CASE WHEN fails THEN '{ERROR[0]}' END,
    CASE WHEN fails THEN 'the worker ' || n % 97 || ' gave up' END,
    CASE WHEN fails THEN $3::uuid END,
    3, created, ended, created, created + (ended - created) * way, ended
FROM (
    SELECT *, ended - least(ended - $5::timestamptz, kind * interval '5 seconds') AS created
    FROM (
        SELECT n, n % 20 = 0 AS fails, md5($5::timestamptz::text || n) AS hash, random() AS kind,
            random() AS way,
            $5::timestamptz + random() * ($6::timestamptz - $5) AS ended
        FROM generate_series(1, $4::integer) AS n
    ) AS drawn
) AS placed
"""
_INSERT_EVENTS = """
INSERT INTO job_event (org_id, job_id, seq, ts, prev_status, next_status, attempt, detail)
SELECT org_id, id, seq, (ARRAY[created_at, started_at, finished_at])[seq],
    (ARRAY['queued', 'running'])[seq - 1], (ARRAY['queued', 'running', status])[seq],
    least(seq - 1, 1), CASE WHEN seq = 2 THEN jsonb_build_object('worker', worker)
        WHEN seq = 3 AND last_error_code IS NOT NULL THEN jsonb_build_object(
            'error_code', last_error_code, 'error_message', last_error_message) END
FROM job CROSS JOIN generate_series(1, 3) AS seq
WHERE org_id = $1 AND requested_by = $2 AND finished_at >= $3
"""


async def relate(url: str) -> None:
    """Give jobs relations, workers and progress, if none of them has any."""
    async with ledger.connected(url) as connection:
        for org_id, jobs in ((LARGE, JOBS), (MIDDLE, JOBS_OF_MIDDLE)):
            if not await connection.fetchval(_IS_RELATED, org_id, BATCH):
                await connection.execute(_RELATE, org_id, int(jobs * RELATED))
        await connection.execute("ANALYZE job")


async def relive(url: str) -> None:
    """Make jobs run in the last minutes, instead of those that an earlier run made."""
    engine = create_tally_engine(url)
    try:
        async with ledger.connected(url) as connection:
            for org_id, per_minute in ((LARGE, PER_MINUTE), (MIDDLE, PER_MINUTE_OF_MIDDLE)):
                await _delete_recent(connection, engine, org_id)
                now = datetime.now(UTC)
                last = now - timedelta(minutes=1)
                since = now - timedelta(minutes=MINUTES)
                await _insert(connection, org_id, (MINUTES - 1) * per_minute, since, last)
                await ledger.sum_all(url, org_id)
                await _insert(connection, org_id, per_minute, last, now)
            for table in ("job", "job_event", "tally", "tally_duration"):
                await connection.execute(f"VACUUM ANALYZE {table}")
    finally:
        await engine.dispose()


async def _insert(
    connection: asyncpg.Connection, org_id: UUID, jobs: int, since: datetime, until: datetime
) -> None:
    error = fingerprint_of(*ERROR)
    assert error is not None
    await connection.execute(_INSERT_JOBS, org_id, _RECENT, error.id, jobs, since, until)
    await connection.execute(_INSERT_EVENTS, org_id, _RECENT, since)


async def _delete_recent(connection: asyncpg.Connection, engine: AsyncEngine, org_id: UUID) -> None:
    found = await connection.fetch(
        "SELECT id FROM job WHERE org_id = $1 AND requested_by = $2", org_id, _RECENT
    )
    ids = [row["id"] for row in found]
    for first in range(0, len(ids), _DELETED_AT_ONCE):
        scope = Scope(org_id, 600.0, read_only=False)
        async with RequestSession(engine, scope) as session:
            async with session.use() as begun:
                await delete_jobs(begun, org_id, ids[first : first + _DELETED_AT_ONCE])
            await session.commit()

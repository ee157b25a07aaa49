"""A history large enough for the planner to choose as it does in production, made on the server."""

from uuid import UUID

import asyncpg

from db.error_groups.fingerprints import fingerprint_of

JOBS = 200_000
EVENTS_PER_JOB = 2

# The parent of one in six jobs; one in four is in the batch `nightly`.
SOURCE = UUID(int=77)
BUSY_PARENT = UUID(int=77)
LARGEST, SECOND, NEWEST, SMALLEST = (UUID(int=number) for number in range(1, 5))

# One for each of the error codes.
FINGERPRINTS = [fingerprint_of(f"E{number}", "it broke 1") for number in range(10)]
GROUPS = ", ".join(f"'{each.id}'" for each in FINGERPRINTS if each is not None)

# Bytes of a hash choose the values, so that they are skewed, independent and the same every time.
GENERATE_JOBS = f"""
INSERT INTO job (org_id, id, type, queue, status, priority, attempt, requested_by, payload,
    last_error_code, last_error_message, error_group, worker, event_seq, created_at, updated_at,
    started_at, finished_at, parent_id, batch, tags, source_id, external_id)
SELECT
    ('00000000-0000-0000-0000-00000000000' || CASE
        WHEN get_byte(hash, 0) < 3 THEN 4
        -- The newest organisation's jobs all lie at the end of the table.
        WHEN n > 0.85 * {JOBS} AND get_byte(hash, 0) < 200 THEN 3
        WHEN get_byte(hash, 0) < 64 THEN 2 ELSE 1 END)::uuid,
    md5('id' || n)::uuid,
    (ARRAY['email.send', 'report.build', 'image.resize', 'user.sync', 'invoice.pay', 'audit.run'])
        [1 + least(5, width_bucket(get_byte(hash, 1), ARRAY[120, 190, 220, 245, 254]))],
    (ARRAY['default', 'mail', 'slow', 'nightly'])
        [1 + width_bucket(get_byte(hash, 2), ARRAY[170, 230, 250])],
    status,
    (ARRAY[0, 5, 10, -5])[1 + width_bucket(get_byte(hash, 3), ARRAY[200, 235, 250])],
    CASE WHEN status = 'queued' THEN 0 ELSE 1 END,
    'user-' || get_byte(hash, 4),
    jsonb_build_object('n', n, 'text', repeat('x', get_byte(hash, 5))),
    CASE WHEN status IN ('failed', 'dead_letter') THEN 'E' || get_byte(hash, 6) % 10 END,
    CASE WHEN status IN ('failed', 'dead_letter') THEN 'it broke ' || get_byte(hash, 9) END,
    CASE WHEN status IN ('failed', 'dead_letter')
        THEN (ARRAY[{GROUPS}]::uuid[])[1 + get_byte(hash, 6) % 10] END,
    CASE WHEN status <> 'queued' THEN 'worker-' || get_byte(hash, 10) END,
    {EVENTS_PER_JOB},
    created_at,
    created_at + get_byte(hash, 7) * interval '1 s',
    CASE WHEN status <> 'queued' THEN created_at + interval '5 s' END,
    CASE WHEN status NOT IN ('queued', 'running')
        THEN created_at + (5 + get_byte(hash, 7)) * interval '1 s' END,
    CASE WHEN get_byte(hash, 10) < 40 THEN '{BUSY_PARENT}'
        WHEN get_byte(hash, 10) < 160 THEN md5('id' || n - n % 40)::uuid END,
    CASE WHEN get_byte(hash, 11) < 60 THEN 'nightly'
        WHEN get_byte(hash, 11) < 160 THEN 'batch ' || n / 2000 END,
    CASE WHEN get_byte(hash, 12) < 100
        THEN jsonb_build_array('byte ' || get_byte(hash, 13), 'rare ' || n / 200) END,
    CASE WHEN get_byte(hash, 14) < 60 THEN '{SOURCE}'::uuid
        WHEN get_byte(hash, 14) < 100 THEN md5('source' || get_byte(hash, 14))::uuid END,
    CASE WHEN get_byte(hash, 14) < 100 THEN 'job-' || get_byte(hash, 13) % 50 END
FROM generate_series(1, {JOBS}) AS n,
LATERAL (SELECT decode(md5(n::text), 'hex') AS hash) AS hashed,
LATERAL (
    SELECT
        -- Several jobs are made in the same second: orders must break ties.
        timestamptz '2026-01-01' + n / 3 * interval '1 s' AS created_at,
        -- What has not ended is new, so it lies at the end of the table too.
        (ARRAY['succeeded', 'failed', 'canceled', 'dead_letter', 'queued', 'running'])
            [1 + width_bucket(get_byte(hash, 8), CASE WHEN n > 0.9 * {JOBS}
                THEN ARRAY[150, 160, 165, 170, 245] ELSE ARRAY[225, 243, 250, 256, 256] END)]
            AS status
) AS chosen
"""

GENERATE_EVENTS = f"""
INSERT INTO job_event (org_id, job_id, seq, ts, prev_status, next_status, attempt, xid)
SELECT
    org_id, id, seq, created_at + (seq - 1) * interval '5 s',
    CASE WHEN seq > 1 THEN 'queued' END,
    CASE WHEN seq > 1 THEN status ELSE 'queued' END,
    least(attempt, seq - 1),
    -- As if written a thousand jobs at a time; the first transactions of a cluster made the catalog.
    (3 + row_number() OVER (ORDER BY created_at) / 1000)::text::xid8
FROM job, generate_series(1, {EVENTS_PER_JOB}) AS seq
"""

# Queued, started and failed, again and again.
START_OFTEN = """
INSERT INTO job_event (org_id, job_id, seq, ts, prev_status, next_status, attempt)
SELECT $1, $2, seq, timestamptz '2026-01-01' + seq * interval '1 s',
    CASE WHEN seq > 1 THEN (ARRAY['queued', 'running', 'failed'])[1 + (seq + 1) % 3] END,
    (ARRAY['queued', 'running', 'failed'])[1 + (seq + 2) % 3], (seq + 1) / 3
FROM generate_series(1, 3 * $3::int) AS seq
"""


async def fill(url: str) -> None:
    """Write JOBS jobs with EVENTS_PER_JOB events each, and let the planner know of them."""
    connection = await asyncpg.connect(url)
    # Nobody doubts that the events' jobs exist: 400,000 look-ups less.
    await connection.execute("SET session_replication_role = replica")
    await connection.execute(GENERATE_JOBS)
    await connection.execute(GENERATE_EVENTS)
    await connection.execute("VACUUM (ANALYZE) job, job_event")
    await connection.close()


async def start_often(url: str, org_id: UUID, job_id: UUID, times: int) -> None:
    """Write the events of a job that was started so many times."""
    connection = await asyncpg.connect(url)
    await connection.execute("SET session_replication_role = replica")
    await connection.execute(START_OFTEN, org_id, job_id, times)
    await connection.close()

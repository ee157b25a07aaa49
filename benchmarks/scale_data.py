"""What the ledger of ten million jobs is made from: organisations, jobs and their events as SQL.

It does not depend on the time at which it is run.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from db.error_groups.fingerprints import fingerprint_of

LARGE, MIDDLE = (UUID(int=number) for number in (1, 2))
FIRST_SMALL = 1000
SMALL_ORGS = 1000
JOBS, JOBS_OF_MIDDLE, JOBS_OF_SMALL = 10_000_000, 100_000, 200_000
# The year that all jobs were created in.
START, END = "2025-01-01 00:00:00+00", "2026-01-01 00:00:00+00"
YEAR_SECONDS = 365 * 24 * 3600

TYPES = """ARRAY['email.send', 'report.build', 'webhook.deliver', 'image.resize', 'search.index',
    'invoice.render', 'payment.settle', 'user.export', 'video.encode', 'cache.warm', 'push.send',
    'report.share', 'email.digest', 'audit.archive', 'model.train', 'model.score', 'backup.run',
    'ledger.close', 'import.rows', 'search.purge']"""
QUEUES = """ARRAY['default', 'mail', 'media', 'reports', 'slow', 'billing', 'search', 'bulk',
    'exports', 'models', 'urgent', 'hooks', 'archive', 'nightly']"""
_CODES = (
    *("TIMEOUT", "CONNECTION_RESET", "HTTP_503", "OUT_OF_MEMORY", "RATE_LIMITED", "BAD_INPUT"),
    *("HTTP_404", "DISK_FULL", "DEADLOCK", "QUOTA", "CERTIFICATE", "SEGFAULT"),
)


def _group(code: str) -> str:
    """Return the group of the errors of a code, as those who write jobs work it out."""
    found = fingerprint_of(code, f"the worker 7 gave up after 7 seconds: {code.lower()}")
    assert found is not None
    return str(found.id)


def _array(values: Iterable[str]) -> str:
    return f"ARRAY[{', '.join(map(repr, values))}]"


_GROUPS = f"{_array(map(_group, _CODES))}::uuid[]"

# Powers of random numbers make the first names much more frequent than the last. The newest jobs
# are queued or running; few of the others have been running since.
INSERT_JOBS = f"""
INSERT INTO job (
    org_id, id, type, queue, status, priority, attempt, max_attempts, idempotency_key,
    requested_by, payload, result, last_error_code, last_error_message, error_group, event_seq,
    created_at, updated_at, scheduled_at, started_at, finished_at, queued_at
)
SELECT org,
    (lpad(to_hex((extract(epoch FROM created) * 1000)::bigint), 12, '0')
        || '7' || substr(hash, 1, 3) || '8' || substr(hash, 4, 15))::uuid,
    ({TYPES})[1 + floor(20 * kind * kind)::int],
    ({QUEUES})[1 + floor(14 * way * way)::int],
    status, CASE WHEN n % 20 = 0 THEN 10 ELSE 0 END, runs, 5,
    CASE WHEN n % 10 < 3 THEN 'key-' || n END,
    CASE WHEN n % 10 < 6 THEN 'service-' || n % 40
        WHEN n % 10 < 8 THEN 'user-' || n % 4999 || '@example.com' END,
    jsonb_build_object('order', n, 'customer', n % 49999, 'region', 'region-' || n % 11),
    CASE WHEN status = 'succeeded' AND n % 3 = 0
        THEN jsonb_build_object('bytes', n * 17 % 900001) END,
    CASE WHEN fails THEN ({_array(_CODES)})[code] END,
    CASE WHEN fails THEN 'the worker ' || n % 97 || ' gave up after ' || n % 300
        || ' seconds: ' || lower(({_array(_CODES)})[code]) END,
    CASE WHEN fails THEN ({_GROUPS})[code] END,
    CASE status WHEN 'queued' THEN 1 WHEN 'running' THEN 2 WHEN 'canceled' THEN 2
        WHEN 'dead_letter' THEN 4 ELSE 3 * runs END,
    created,
    CASE status WHEN 'queued' THEN created WHEN 'running' THEN started
        WHEN 'dead_letter' THEN ended + interval '1 second' ELSE ended END,
    CASE WHEN n % 10 = 0 THEN queued END,
    CASE WHEN runs > 0 THEN started END,
    CASE WHEN status NOT IN ('queued', 'running') THEN ended END,
    queued
FROM (
    SELECT *, CASE WHEN status IN ('queued', 'canceled') THEN 0 WHEN retried THEN 2 ELSE 1 END
            AS runs,
        queued + wait * interval '1 second' AS started,
        queued + (wait + run) * interval '1 second' AS ended,
        retried OR status IN ('failed', 'dead_letter') AS fails,
        1 + floor({len(_CODES)} * kind * way)::int AS code
    FROM (
        SELECT *, created + CASE WHEN retried THEN 60 ELSE 0 END * interval '1 second' AS queued
        FROM (
            SELECT *, luck BETWEEN 0.895 AND 0.92 AND status = 'succeeded' AS retried,
                timestamptz '{START}' + (n - random()) * step * interval '1 second' AS created
            FROM (
                SELECT *, CASE
                    WHEN n > total * 0.99 AND luck < 0.5 THEN 'queued'
                    WHEN n > total * 0.99 AND luck < 0.995 THEN 'running'
                    WHEN luck < 0.92 THEN 'succeeded' WHEN luck < 0.965 THEN 'failed'
                    WHEN luck < 0.975 THEN 'dead_letter' WHEN luck < 0.9998 THEN 'canceled'
                    ELSE 'running' END AS status
                FROM (
                    SELECT n, $1::bigint AS total, {YEAR_SECONDS} / $1::float8 AS step,
                        ('00000000-0000-0000-0000-' || lpad(to_hex($2 + n % $3), 12, '0'))::uuid
                            AS org,
                        md5($2 || '-' || n) AS hash, random() AS kind, random() AS way,
                        random() AS luck, 0.1 + 20 * random() ^ 4 AS wait,
                        0.05 + 60 * random() ^ 6 AS run
                    FROM generate_series(1, $1::bigint) AS n
                ) AS drawn
            ) AS placed
        ) AS dated
    ) AS queued
) AS told
"""

# Each job's path; a retried one failed a minute before its last run was queued.
INSERT_EVENTS = """
INSERT INTO job_event (org_id, job_id, seq, ts, prev_status, next_status, attempt, detail)
SELECT org_id, id, seq,
    CASE WHEN seq = event_seq THEN updated_at
        WHEN seq = 1 THEN created_at
        WHEN seq = event_seq - 1 AND status <> 'dead_letter' THEN started_at
        WHEN seq = event_seq - 2 AND status = 'dead_letter' THEN started_at
        WHEN seq = event_seq - 1 THEN finished_at
        ELSE queued_at - (4 - seq) * interval '15 seconds' END,
    path[seq - 1], path[seq],
    CASE WHEN event_seq = 6 THEN seq / 4 + (seq NOT IN (1, 4))::int
        ELSE (seq > 1 AND attempt > 0)::int END,
    CASE path[seq] WHEN 'running' THEN jsonb_build_object('worker', 'worker-' || priority + seq)
        WHEN 'failed' THEN jsonb_build_object('error_code', last_error_code) END
FROM job
CROSS JOIN LATERAL (SELECT CASE
    WHEN event_seq = 6 THEN ARRAY['queued', 'running', 'failed', 'queued', 'running', status]
    WHEN status = 'dead_letter' THEN ARRAY['queued', 'running', 'failed', status]
    WHEN event_seq = 3 THEN ARRAY['queued', 'running', status]
    WHEN event_seq = 2 THEN ARRAY['queued', status] ELSE ARRAY[status] END AS path) AS told
CROSS JOIN LATERAL generate_series(1, event_seq) AS seq
"""

INSERT_ORGS = f"""
INSERT INTO org (org_id, name)
SELECT ('00000000-0000-0000-0000-' || lpad(to_hex(n), 12, '0'))::uuid, 'organisation ' || n
FROM unnest(ARRAY[1, 2] || array(SELECT generate_series({FIRST_SMALL},
    {FIRST_SMALL + SMALL_ORGS - 1}))) AS n
"""


@dataclass(frozen=True, slots=True)
class Share:
    """Jobs that are made at once: how many, of how many organisations, from which number on."""

    jobs: int
    first_org: int
    orgs: int


SHARES = (
    Share(JOBS, LARGE.int, 1),
    Share(JOBS_OF_MIDDLE, MIDDLE.int, 1),
    Share(JOBS_OF_SMALL, FIRST_SMALL, SMALL_ORGS),
)

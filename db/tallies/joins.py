"""How the SQL of sums joins events with their jobs, and jobs with their keys."""
# ruff: noqa: S608 - the names of tables and columns are the program's own

from db.tallies.keys import ALL, OTHERS

# The key of a job, as in db.tallies.keys; -1 if it has none yet.
KEY = f"""
coalesce(own.id, of_type.id, CASE WHEN NOT EXISTS (
    SELECT FROM tally_key AS known WHERE known.org_id = :org_id AND known.type = job.type
) THEN (
    SELECT others.id FROM tally_key AS others
    WHERE others.org_id = :org_id AND others.type = '{OTHERS}' AND others.queue = '{OTHERS}'
) END, -1)
"""
JOINED_KEYS = f"""
LEFT JOIN tally_key AS own
    ON own.org_id = :org_id AND own.type = job.type AND own.queue = job.queue
LEFT JOIN tally_key AS of_type
    ON of_type.org_id = :org_id AND of_type.type = job.type AND of_type.queue = '{OTHERS}'
"""


def joined(which: str) -> str:
    """Make `event`, `job` and `pair`, whose key is that of a job's type and queue, of some events.

    Of an organisation that is newer than the statistics of the tables, PostgreSQL expects a single
    row and would compare each event with each job. `JOINS` are full, which only hashes or sorted
    rows can answer: each event has its job, and each job its pair.
    """
    return f"""
    event AS MATERIALIZED (
        SELECT org_id, job_id, seq, ts, prev_status, next_status,
            CASE WHEN next_status = 'running' THEN detail END AS detail
        FROM job_event AS event
        WHERE event.org_id = :org_id AND {which}
        AND event.prev_status IS DISTINCT FROM event.next_status
    ), job AS MATERIALIZED (
        SELECT id, type, queue, queued_at, scheduled_at, started_at, finished_at, source_id
        FROM job
        WHERE job.org_id = :org_id AND job.id = ANY (ARRAY(SELECT job_id FROM event))
    ), pair AS MATERIALIZED (
        SELECT job.type, job.queue, {KEY} AS key_id
        FROM (SELECT DISTINCT type, queue FROM job) AS job {JOINED_KEYS}
    )
    """


JOINS = """
FROM event FULL JOIN job ON job.id = event.job_id
FULL JOIN pair ON pair.type = job.type AND pair.queue = job.queue
"""

# The keys whose sums have what is counted for the key of a pair.
KEPT = f"""
JOIN tally_key AS own ON own.org_id = :org_id AND own.id = key_id
CROSS JOIN LATERAL (VALUES (own.id), (own.type_key), (own.queue_key), ({ALL})) AS kept (key)
"""

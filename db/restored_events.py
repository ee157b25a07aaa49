"""Events that were restored from the dump of another server: their transaction ids are that one's.

While they are ahead of this server's count, subscriptions tell new events by their times: see
db.queries.event_feed. Without ids they are history, and snapshots tell what is new again.
"""

from typing import Any

import asyncpg

_ORGANISATIONS = """
WITH RECURSIVE org (org_id) AS (
    (SELECT org_id FROM job_event ORDER BY org_id LIMIT 1)
    UNION ALL
    SELECT (SELECT event.org_id FROM job_event AS event WHERE event.org_id > org.org_id
            ORDER BY event.org_id LIMIT 1)
    FROM org WHERE org.org_id IS NOT NULL
)
SELECT org_id FROM org, pg_snapshot_xmax(pg_current_snapshot()) AS next_xid
-- On Citus no id can be compared with another.
WHERE NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') AND EXISTS (
    -- Of each organisation, one probe of the index on its events' transactions.
    SELECT FROM job_event AS event WHERE event.org_id = org.org_id AND event.xid >= next_xid
)
"""
_CLEAR = """
UPDATE job_event SET xid = NULL
WHERE org_id = $1 AND xid >= pg_snapshot_xmax(pg_current_snapshot())
"""


async def count_restored_orgs(url: str) -> int:
    """Count the organisations that have such events. Asks as the owner of the tables."""
    connection = await _connect(url)
    try:
        return len(await connection.fetch(_ORGANISATIONS))
    finally:
        await connection.close()


async def clear_transactions(url: str) -> int:
    """Take the transaction ids from such events; get the number of their organisations.

    Each organisation is a transaction of its own. Needs the owner of the tables.
    """
    connection = await _connect(url)
    try:
        org_ids = [row["org_id"] for row in await connection.fetch(_ORGANISATIONS)]
        for org_id in org_ids:
            await connection.execute(_CLEAR, org_id)
        return len(org_ids)
    finally:
        await connection.close()


async def _connect(url: str) -> Any:
    # A login that row level security binds gets an error, not rows left out in silence.
    return await asyncpg.connect(url, server_settings={"row_security": "off"})

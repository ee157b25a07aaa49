"""Events restored from a dump of another server, with transaction ids of that server.

While those ids are ahead of this server's, subscriptions detect new events by their times: see
db.queries.event_feed. Once the ids are cleared, subscriptions compare snapshots again.
"""

from db.connections import connect, owner_transaction

APPLICATION_NAME = "joblens restored"
_ORGANISATIONS = """
WITH RECURSIVE org (org_id) AS (
    (SELECT org_id FROM job_event ORDER BY org_id LIMIT 1)
    UNION ALL
    SELECT (SELECT event.org_id FROM job_event AS event WHERE event.org_id > org.org_id
            ORDER BY event.org_id LIMIT 1)
    FROM org WHERE org.org_id IS NOT NULL
)
SELECT org_id FROM org, pg_snapshot_xmax(pg_current_snapshot()) AS next_xid
-- On Citus each node has its own transaction ids.
WHERE NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') AND EXISTS (
    -- One index probe per organisation.
    SELECT FROM job_event AS event WHERE event.org_id = org.org_id AND event.xid >= next_xid
)
"""
_CLEAR = """
UPDATE job_event SET xid = NULL
WHERE org_id = $1 AND xid >= pg_snapshot_xmax(pg_current_snapshot())
"""


async def count_restored_orgs(url: str) -> int:
    """Count the organisations that have such events. `url` must name the owner of the tables."""
    connection = await connect(url, APPLICATION_NAME)
    try:
        async with owner_transaction(connection):
            return len(await connection.fetch(_ORGANISATIONS))
    finally:
        await connection.close()


async def clear_transaction_ids(url: str) -> int:
    """Clear the transaction ids of such events; return how many organisations had any.

    Each organisation is a separate transaction. `url` must name the owner of the tables.
    """
    connection = await connect(url, APPLICATION_NAME)
    try:
        async with owner_transaction(connection):
            org_ids = [row["org_id"] for row in await connection.fetch(_ORGANISATIONS)]
        for org_id in org_ids:
            async with owner_transaction(connection):
                await connection.execute(_CLEAR, org_id)
                # Sums are made again: it is not known which of them have these events.
                await connection.execute("DELETE FROM tally_state WHERE org_id = $1", org_id)
        return len(org_ids)
    finally:
        await connection.close()

"""The list of organisations with events to sum: found in an index, whatever statistics say.

Of EXISTS PostgreSQL expected to find an event soon, and read all events of the ledger to find none.
"""

from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Replace the function of migration 0005; its owner and privileges stay."""
    op.execute(
        """
        DO $$
        DECLARE
            own text := quote_ident(current_schema());
        BEGIN
            EXECUTE format($create$
                CREATE OR REPLACE FUNCTION untallied_orgs() RETURNS SETOF uuid
                LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = %s, pg_temp
                AS $body$
                BEGIN
                    -- On Citus each node has its own transaction ids.
                    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') THEN
                        RETURN;
                    END IF;
                    RETURN QUERY
                    WITH RECURSIVE org (org_id) AS (
                        (SELECT event.org_id FROM job_event AS event ORDER BY event.org_id LIMIT 1)
                        UNION ALL
                        SELECT (
                            SELECT event.org_id FROM job_event AS event
                            WHERE event.org_id > org.org_id ORDER BY event.org_id LIMIT 1
                        )
                        FROM org WHERE org.org_id IS NOT NULL
                    )
                    SELECT org.org_id FROM org LEFT JOIN tally_state AS state USING (org_id)
                    WHERE org.org_id IS NOT NULL AND (
                        state.org_id IS NULL
                        OR state.summed_until IS NOT NULL
                        OR state.cluster <> (SELECT system_identifier FROM pg_control_system())
                        OR (
                            SELECT event.xid FROM job_event AS event
                            WHERE event.org_id = org.org_id
                            AND event.xid >= pg_snapshot_xmin(state.seen)
                            AND NOT pg_visible_in_snapshot(event.xid, state.seen)
                            ORDER BY event.xid LIMIT 1
                        ) IS NOT NULL
                    );
                END
                $body$
            $create$, own);
        END
        $$
        """
    )


def downgrade() -> None:
    """Older versions work with this function, too."""

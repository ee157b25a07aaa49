"""Tallies: sums of events, from which counts and the timeline are answered."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import UserDefinedType

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None

ORGANISATION = "nullif(current_setting('joblens.org_id', true), '')::uuid"
TABLES = ("tally_state", "tally_key", "tally", "tally_duration")
STATUSES = ("queued", "running", "succeeded", "failed", "canceled", "dead_letter")
Timestamp = sa.DateTime(timezone=True)


class PgSnapshot(UserDefinedType[str]):
    """PostgreSQL's snapshot."""

    cache_ok = True

    def get_col_spec(self, **_options: object) -> str:
        return "pg_snapshot"


def upgrade() -> None:
    op.create_table(
        "tally_state",
        sa.Column("org_id", sa.Uuid, nullable=False),
        sa.Column("cluster", sa.BigInteger, nullable=False),
        sa.Column("seen", PgSnapshot, nullable=False),
        sa.Column("summed_until", Timestamp),
        sa.PrimaryKeyConstraint("org_id", name="pk_tally_state"),
    )
    op.create_table(
        "tally_key",
        sa.Column("org_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("type", sa.Text),
        sa.Column("queue", sa.Text),
        sa.Column("type_key", sa.Integer),
        sa.Column("queue_key", sa.Integer),
        sa.PrimaryKeyConstraint("org_id", "id", name="pk_tally_key"),
        sa.UniqueConstraint(
            "org_id",
            "type",
            "queue",
            name="uq_tally_key_org_type_queue",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "tally",
        sa.Column("org_id", sa.Uuid, nullable=False),
        sa.Column("span", sa.SmallInteger, nullable=False),
        sa.Column("key_id", sa.Integer, nullable=False),
        sa.Column("start", Timestamp, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False, server_default="0"),
        *(
            sa.Column(f"{change}_{status}", sa.BigInteger, nullable=False, server_default="0")
            for change in ("entered", "left")
            for status in STATUSES
        ),
        sa.PrimaryKeyConstraint("org_id", "span", "key_id", "start", name="pk_tally"),
    )
    op.create_table(
        "tally_duration",
        sa.Column("org_id", sa.Uuid, nullable=False),
        sa.Column("span", sa.SmallInteger, nullable=False),
        sa.Column("key_id", sa.Integer, nullable=False),
        sa.Column("start", Timestamp, nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("bins", sa.ARRAY(sa.Integer), nullable=False),
        sa.Column("counts", sa.ARRAY(sa.BigInteger), nullable=False),
        sa.Column("total", sa.Double, nullable=False),
        sa.Column("least", sa.Double, nullable=False),
        sa.Column("most", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint(
            "org_id", "span", "key_id", "start", "kind", name="pk_tally_duration"
        ),
    )
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY {table}_organisation ON {table} TO joblens_app "
            f"USING (org_id = {ORGANISATION}) WITH CHECK (org_id = {ORGANISATION})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO joblens_app")
    create_untallied_orgs()


def downgrade() -> None:
    op.execute("DROP FUNCTION untallied_orgs()")
    for table in reversed(TABLES):
        op.drop_table(table)


def create_untallied_orgs() -> None:
    """Create the function that lists the organisations with events that are not summed.

    Row level security hides the organisations from the servers that sum. Its owner sees them all;
    it returns nothing but their ids.
    """
    op.execute(
        """
        DO $$
        DECLARE
            own text := quote_ident(current_schema());
        BEGIN
            EXECUTE format($create$
                CREATE FUNCTION untallied_orgs() RETURNS SETOF uuid
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
                        OR EXISTS (
                            SELECT FROM job_event AS event
                            WHERE event.org_id = org.org_id
                            AND event.xid >= pg_snapshot_xmin(state.seen)
                            AND NOT pg_visible_in_snapshot(event.xid, state.seen)
                        )
                    );
                END
                $body$
            $create$, own);
        END
        $$
        """
    )
    op.execute("REVOKE ALL ON FUNCTION untallied_orgs() FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION untallied_orgs() TO joblens_app")

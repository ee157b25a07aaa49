"""Sums of jobs by their last error."""

import sqlalchemy as sa
from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | None = None
depends_on: str | None = None

ORGANISATION = "nullif(current_setting('joblens.org_id', true), '')::uuid"
TABLES = ("error_job", "error_job_tally")
COUNTED = (
    ("key_id", sa.Integer, False),
    ("error_code", sa.Text, True),
    ("error_group", sa.Uuid, True),
    ("status", sa.Text, False),
)


def upgrade() -> None:
    op.execute("ALTER TABLE tally_state ADD COLUMN errors_seen pg_snapshot")
    op.create_table(
        "error_job",
        sa.Column("org_id", sa.Uuid, nullable=False),
        sa.Column("job_id", sa.Uuid, nullable=False),
        *(sa.Column(name, type_, nullable=is_nullable) for name, type_, is_nullable in COUNTED),
        sa.PrimaryKeyConstraint("org_id", "job_id", name="pk_error_job"),
    )
    op.create_table(
        "error_job_tally",
        sa.Column("org_id", sa.Uuid, nullable=False),
        *(sa.Column(name, type_, nullable=is_nullable) for name, type_, is_nullable in COUNTED),
        sa.Column("jobs", sa.BigInteger, nullable=False),
        sa.UniqueConstraint(
            "org_id",
            *(name for name, *_ in COUNTED),
            name="uq_error_job_tally",
            postgresql_nulls_not_distinct=True,
        ),
    )
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY {table}_organisation ON {table} TO joblens_app "
            f"USING (org_id = {ORGANISATION}) WITH CHECK (org_id = {ORGANISATION})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO joblens_app")
    replace_untallied_orgs("OR state.errors_seen IS NULL")


def downgrade() -> None:
    replace_untallied_orgs("")
    for table in reversed(TABLES):
        op.drop_table(table)
    op.execute("ALTER TABLE tally_state DROP COLUMN errors_seen")


def replace_untallied_orgs(also: str) -> None:
    """Replace the function of migration 0017; its owner and privileges stay."""
    op.execute(
        f"""
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
                        {also}
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
        """  # noqa: S608 - a condition of this module
    )

"""Retention policies: how long jobs that have ended are kept."""

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None

ORGANISATION = "nullif(current_setting('joblens.org_id', true), '')::uuid"


def upgrade() -> None:
    op.create_table(
        "retention_policy",
        sa.Column("org_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("status", sa.Text),
        sa.Column("type", sa.Text),
        sa.Column("keep_seconds", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "id", name="pk_retention_policy"),
        sa.UniqueConstraint(
            "org_id",
            "status",
            "type",
            name="uq_retention_policy_org_status_type",
            postgresql_nulls_not_distinct=True,
        ),
        sa.CheckConstraint(
            "status IN ('canceled', 'dead_letter', 'failed', 'succeeded')",
            name="ck_retention_policy_status",
        ),
        sa.CheckConstraint("type NOT IN ('', '*')", name="ck_retention_policy_type"),
        sa.CheckConstraint("keep_seconds > 0", name="ck_retention_policy_keep_seconds"),
    )
    op.execute("ALTER TABLE retention_policy ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY retention_policy_organisation ON retention_policy TO joblens_app "
        f"USING (org_id = {ORGANISATION}) WITH CHECK (org_id = {ORGANISATION})"
    )
    # Only administrators change policies, as the owner.
    op.execute("GRANT SELECT ON retention_policy TO joblens_app")
    create_retention_orgs()


def downgrade() -> None:
    op.execute("DROP FUNCTION retention_orgs()")
    op.drop_table("retention_policy")


def create_retention_orgs() -> None:
    """Create the function that lists the organisations with policies.

    Row level security hides them from the servers that prune. Its owner sees them all; it returns
    nothing but their ids.
    """
    op.execute(
        """
        DO $$
        DECLARE
            own text := quote_ident(current_schema());
        BEGIN
            EXECUTE format($create$
                CREATE FUNCTION retention_orgs() RETURNS SETOF uuid
                LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = %s, pg_temp
                AS $body$
                BEGIN
                    RETURN QUERY SELECT DISTINCT policy.org_id FROM retention_policy AS policy
                    ORDER BY policy.org_id;
                END
                $body$
            $create$, own);
        END
        $$
        """
    )
    op.execute("REVOKE ALL ON FUNCTION retention_orgs() FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION retention_orgs() TO joblens_app")

"""Error groups: errors that are the same but for numbers, ids and quoted text."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | None = None
depends_on: str | None = None

ORGANISATION = "nullif(current_setting('joblens.org_id', true), '')::uuid"
TABLES = ("error_group", "error_tally")
Timestamp = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("job", sa.Column("error_group", sa.Uuid))
    # jobs(filter: {errorGroup: ...}) by CREATED_AT; jobGroups(by: [ERROR_GROUP, STATUS, TYPE,
    # QUEUE]); the groups of the jobs that meet a filter.
    op.create_index(
        "idx_job_org_error_group",
        "job",
        [sa.text(column) for column in ("org_id", "error_group", "created_at DESC", "id DESC")],
        postgresql_where=sa.text("error_group IS NOT NULL"),
        postgresql_include=("status", "type", "queue"),
    )
    # The jobs whose errors are older than their groups. Empty once `joblens tally` has run.
    op.create_index(
        "idx_job_org_ungrouped",
        "job",
        ["org_id", "id"],
        postgresql_where=sa.text(
            "error_group IS NULL "
            "AND (last_error_code IS NOT NULL OR last_error_message IS NOT NULL)"
        ),
    )
    op.create_table(
        "error_group",
        sa.Column("org_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("code", sa.Text),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("types", ARRAY(sa.Text), nullable=False),
        sa.Column("events", sa.BigInteger, nullable=False),
        sa.Column("first_seen_at", Timestamp, nullable=False),
        sa.Column("last_seen_at", Timestamp, nullable=False),
        sa.PrimaryKeyConstraint("org_id", "id", name="pk_error_group"),
    )
    op.create_table(
        "error_tally",
        sa.Column("org_id", sa.Uuid, nullable=False),
        sa.Column("error_group", sa.Uuid, nullable=False),
        sa.Column("span", sa.SmallInteger, nullable=False),
        sa.Column("start", Timestamp, nullable=False),
        sa.Column("events", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("org_id", "error_group", "span", "start", name="pk_error_tally"),
    )
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY {table}_organisation ON {table} TO joblens_app "
            f"USING (org_id = {ORGANISATION}) WITH CHECK (org_id = {ORGANISATION})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO joblens_app")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_index("idx_job_org_ungrouped", "job")
    op.drop_index("idx_job_org_error_group", "job")
    op.drop_column("job", "error_group")

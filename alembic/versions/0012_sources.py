"""Sources of facts, their jobs, and that facts may change what is known of a job's past."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | None = None
depends_on: str | None = None

ORGANISATION = "nullif(current_setting('joblens.org_id', true), '')::uuid"
FACTS_ONLY = """
CREATE POLICY job_event_facts ON job_event AS RESTRICTIVE FOR DELETE TO joblens_app
USING (EXISTS (
    SELECT FROM job WHERE job.org_id = job_event.org_id AND job.id = job_event.job_id
    AND job.source_id IS NOT NULL
))
"""
# Of an organisation that statistics do not know, PostgreSQL expects one row of any index, and of
# those that cost the same it takes the newest. It is to be the key, for the check of the foreign
# key above all: another index has the whole organisation.
KEYS_LAST = (
    "ALTER TABLE job_event DROP CONSTRAINT fk_job_event_job",
    "ALTER TABLE job DROP CONSTRAINT pk_job, ADD CONSTRAINT pk_job PRIMARY KEY (org_id, id)",
    "ALTER TABLE job_event DROP CONSTRAINT pk_job_event, "
    "ADD CONSTRAINT pk_job_event PRIMARY KEY (org_id, job_id, seq)",
    "ALTER TABLE job_event ADD CONSTRAINT fk_job_event_job "
    "FOREIGN KEY (org_id, job_id) REFERENCES job (org_id, id) ON DELETE CASCADE",
)
COLUMNS = ("source_id", "external_id", "described")


def upgrade() -> None:
    op.create_table(
        "source",
        sa.Column("org_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False, server_default=sa.text("gen_random_uuid()")),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
        sa.Column("settings", JSONB),
        sa.Column("checkpoint", JSONB),
        sa.Column("schema_version", sa.Text),
        sa.Column("lag_seconds", sa.Double),
        sa.Column("last_seen_at", sa.DateTime(timezone=True)),
        sa.Column("last_error", sa.Text),
        sa.Column("backlog_bytes", sa.BigInteger),
        sa.PrimaryKeyConstraint("org_id", "id", name="pk_source"),
    )
    # recordFacts, which names its source.
    op.create_index("uq_source_org_name", "source", ["org_id", "name"], unique=True)
    op.execute("ALTER TABLE source ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY source_organisation ON source TO joblens_app "
        f"USING (org_id = {ORGANISATION}) WITH CHECK (org_id = {ORGANISATION})"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON source TO joblens_app")
    # No foreign key: the jobs of a source that is removed stay.
    op.add_column("job", sa.Column("source_id", sa.Uuid))
    op.add_column("job", sa.Column("external_id", sa.Text))
    op.add_column("job", sa.Column("described", JSONB))
    # A late fact changes what came after it; see db.facts.
    op.execute("GRANT DELETE ON job_event TO joblens_app")
    # All other events are only appended.
    op.execute(FACTS_ONLY)

    op.create_check_constraint(
        "ck_job_source", "job", "(source_id IS NULL) = (external_id IS NULL)"
    )
    # Source.jobs, and jobs(filter: {source: ...}).
    op.create_index(
        "idx_job_org_source",
        "job",
        [sa.text(column) for column in ("org_id", "source_id", "created_at DESC", "id DESC")],
        postgresql_where=sa.text("source_id IS NOT NULL"),
    )
    # jobs(filter: {externalId: ...}).
    op.create_index(
        "idx_job_org_external_id",
        "job",
        [
            sa.text(column)
            for column in ("org_id", "external_id text_pattern_ops", "created_at DESC", "id DESC")
        ],
        postgresql_where=sa.text("external_id IS NOT NULL"),
    )
    for statement in KEYS_LAST:
        op.execute(statement)


def downgrade() -> None:
    for name in ("idx_job_org_external_id", "idx_job_org_source"):
        op.drop_index(name, "job")
    op.drop_constraint("ck_job_source", "job")
    op.execute("DROP POLICY job_event_facts ON job_event")
    op.execute("REVOKE DELETE ON job_event FROM joblens_app")
    for column in reversed(COLUMNS):
        op.drop_column("job", column)
    op.drop_table("source")

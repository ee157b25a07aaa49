"""Jobs, their events, and the role for statements of requests."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

STATUSES = "'queued', 'running', 'succeeded', 'failed', 'canceled', 'dead_letter'"
TERMINAL = "'canceled', 'dead_letter', 'failed', 'succeeded'"
ORGANISATION = "nullif(current_setting('joblens.org_id', true), '')::uuid"
# Not coalesce(): it is not leakproof, so under row level security a page could not use the index.
FINISHED_ORDER = """
CASE
    WHEN finished_at IS NULL THEN 'infinity'::timestamp with time zone
    ELSE finished_at
END"""
Timestamp = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_job()
    create_job_event()
    create_role()
    for table in ("job", "job_event"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY {table}_organisation ON {table} TO joblens_app "
            f"USING (org_id = {ORGANISATION}) WITH CHECK (org_id = {ORGANISATION})"
        )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON job TO joblens_app")
    # Events are only appended; the foreign key deletes the events of a deleted job.
    op.execute("GRANT SELECT, INSERT ON job_event TO joblens_app")
    # Running servers also check whether the database is at head.
    op.execute("GRANT SELECT ON alembic_version TO joblens_app")


def downgrade() -> None:
    op.drop_table("job_event")
    op.drop_table("job")
    op.execute("REVOKE ALL ON alembic_version FROM joblens_app")
    drop_role()


def create_job() -> None:
    op.create_table(
        "job",
        sa.Column("org_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False, server_default=sa.text("gen_random_uuid()")),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("queue", sa.Text, nullable=False, server_default="default"),
        sa.Column("status", sa.Text, nullable=False, server_default="queued"),
        sa.Column("priority", sa.Integer, nullable=False, server_default="0"),
        sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
        sa.Column("max_attempts", sa.Integer, nullable=False, server_default="5"),
        sa.Column("backoff_policy", sa.Text, nullable=False, server_default="exponential"),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("requested_by", sa.Text),
        sa.Column("payload", JSONB),
        sa.Column("result", JSONB),
        sa.Column("last_error_code", sa.Text),
        sa.Column("last_error_message", sa.Text),
        sa.Column("event_seq", sa.Integer, nullable=False, server_default="0"),
        sa.Column("created_at", Timestamp, nullable=False, server_default=sa.text("now()")),
        sa.Column("updated_at", Timestamp, nullable=False, server_default=sa.text("now()")),
        sa.Column("scheduled_at", Timestamp),
        sa.Column("started_at", Timestamp),
        sa.Column("finished_at", Timestamp),
        sa.PrimaryKeyConstraint("org_id", "id", name="pk_job"),
        sa.CheckConstraint(f"status IN ({STATUSES})", name="ck_job_status"),
        sa.CheckConstraint(
            "backoff_policy IN ('none', 'fixed', 'exponential')", name="ck_job_backoff_policy"
        ),
        sa.CheckConstraint(
            f"(status IN ({TERMINAL})) = (finished_at IS NOT NULL)", name="ck_job_finished"
        ),
        sa.CheckConstraint("attempt >= 0 AND attempt <= max_attempts", name="ck_job_attempt"),
        sa.CheckConstraint("event_seq >= 0", name="ck_job_event_seq"),
    )
    # jobs(orderBy: {field: CREATED_AT}), the default; also a range of createdAt.
    create_job_index("idx_job_org_created", "created_at DESC")
    # jobs(orderBy: {field: UPDATED_AT}).
    create_job_index("idx_job_org_updated", "updated_at DESC")
    # jobs(orderBy: {field: FINISHED_AT}); unfinished jobs sort as if they finished in the future.
    create_job_index("idx_job_org_finished", f"({FINISHED_ORDER}) DESC")
    # jobs(orderBy: {field: PRIORITY}).
    create_job_index("idx_job_org_priority", "priority DESC")
    # jobs(filter: {status: [...]}) by CREATED_AT; statusCounts reads nothing else.
    create_job_index("idx_job_org_status", "status", "created_at DESC")
    # jobs(filter: {type: {eq: ...}}) by CREATED_AT.
    create_job_index("idx_job_org_type", "type", "created_at DESC")
    # jobs(filter: {queue: {eq: ...}}) by CREATED_AT.
    create_job_index("idx_job_org_queue", "queue", "created_at DESC")
    # jobs(filter: {status: [QUEUED]}) by PRIORITY, and due jobs. Other jobs are not in it.
    create_job_index("idx_job_org_queued_priority", "priority DESC", where="status = 'queued'")
    # One job per key: createJob with the key of an existing job returns that job.
    op.create_index(
        "uq_job_org_idempotency",
        "job",
        ["org_id", "idempotency_key"],
        unique=True,
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )


def create_job_index(name: str, *leading: str, where: str | None = None) -> None:
    columns = [sa.text(column) for column in ("org_id", *leading, "id DESC")]
    op.create_index(name, "job", columns, postgresql_where=sa.text(where) if where else None)


def create_job_event() -> None:
    op.create_table(
        "job_event",
        sa.Column("org_id", sa.Uuid, nullable=False),
        sa.Column("job_id", sa.Uuid, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("ts", Timestamp, nullable=False, server_default=sa.text("now()")),
        sa.Column("prev_status", sa.Text),
        sa.Column("next_status", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("detail", JSONB),
        # Job.events, latestEvent and attempts.
        sa.PrimaryKeyConstraint("org_id", "job_id", "seq", name="pk_job_event"),
        sa.ForeignKeyConstraint(
            ["org_id", "job_id"],
            ["job.org_id", "job.id"],
            name="fk_job_event_job",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(f"next_status IN ({STATUSES})", name="ck_job_event_next_status"),
        sa.CheckConstraint(f"prev_status IN ({STATUSES})", name="ck_job_event_prev_status"),
        sa.CheckConstraint("seq >= 1", name="ck_job_event_seq"),
    )
    # jobEvents, newest first, and the range that timeline reads.
    op.create_index(
        "idx_job_event_org_ts",
        "job_event",
        [sa.text("org_id"), sa.text("ts DESC"), sa.text("job_id DESC"), sa.text("seq DESC")],
    )


def create_role() -> None:
    """Create `joblens_app` and grant it to the migrating login.

    Roles belong to the whole cluster, so another database may have created it, or may be creating
    it concurrently.
    """
    op.execute(
        """
        DO $$
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'joblens_app') THEN
                CREATE ROLE joblens_app NOLOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT;
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END
        $$
        """
    )
    op.execute(
        """
        DO $$
        DECLARE
            -- From PostgreSQL 16 on, creating a role does not grant SET ROLE to its creator.
            privilege text := CASE WHEN current_setting('server_version_num')::int < 160000
                THEN 'MEMBER' ELSE 'SET' END;
        BEGIN
            IF NOT pg_has_role(current_user, 'joblens_app', privilege) THEN
                EXECUTE 'GRANT joblens_app TO ' || quote_ident(current_user);
            END IF;
        END
        $$
        """
    )
    op.execute(
        """
        DO $$
        BEGIN
            EXECUTE 'GRANT USAGE ON SCHEMA ' || quote_ident(current_schema()) || ' TO joblens_app';
        END
        $$
        """
    )


def drop_role() -> None:
    """Drop `joblens_app` unless another database of the cluster still needs it."""
    op.execute(
        """
        DO $$
        BEGIN
            EXECUTE 'REVOKE ALL ON SCHEMA ' || quote_ident(current_schema()) || ' FROM joblens_app';
        END
        $$
        """
    )
    op.execute(
        """
        DO $$
        BEGIN
            DROP ROLE joblens_app;
        EXCEPTION WHEN dependent_objects_still_exist OR undefined_object
            OR insufficient_privilege THEN
            NULL;
        END
        $$
        """
    )

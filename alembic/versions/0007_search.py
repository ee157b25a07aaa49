"""Indexes for orders and filters of long lists."""

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None

# As in 0001: without NULLs one row comparison finds any page.
FUTURE_IF_NULL = """
CASE
    WHEN {0} IS NULL THEN 'infinity'::timestamp with time zone
    ELSE {0}
END"""
INDEXES = (
    "idx_job_org_scheduled",
    "idx_job_org_started",
    "idx_job_org_type_status",
    "idx_job_org_requested_by",
    "idx_job_org_error_code",
)


def upgrade() -> None:
    # jobs(orderBy: {field: SCHEDULED_AT}).
    create_job_index("idx_job_org_scheduled", f"({FUTURE_IF_NULL.format('scheduled_at')}) DESC")
    # jobs(orderBy: {field: STARTED_AT}).
    create_job_index("idx_job_org_started", f"({FUTURE_IF_NULL.format('started_at')}) DESC")
    # jobs(filter: {type: {eq: ...}, status: [...]}) by CREATED_AT, also if none is new.
    create_job_index("idx_job_org_type_status", "type", "status", "created_at DESC")
    # With text_pattern_ops a prefix is one range of the index, whatever the database's collation.
    # jobs(filter: {requestedBy: ...}) by CREATED_AT, also if there are none.
    create_job_index(
        "idx_job_org_requested_by",
        "requested_by text_pattern_ops",
        "created_at DESC",
        where="requested_by IS NOT NULL",
    )
    # jobs(filter: {lastErrorCode: ...}) by CREATED_AT, also if there are none.
    create_job_index(
        "idx_job_org_error_code",
        "last_error_code text_pattern_ops",
        "created_at DESC",
        where="last_error_code IS NOT NULL",
    )
    # Every job that ends well has the other statuses: their events are frequent, and not in it.
    # jobEvents(filter: {nextStatus: [...]}), also if there are none.
    op.create_index(
        "idx_job_event_org_status",
        "job_event",
        [
            sa.text(column)
            for column in ("org_id", "next_status", "ts DESC", "job_id DESC", "seq DESC")
        ],
        postgresql_where=sa.text("next_status IN ('failed', 'canceled', 'dead_letter')"),
    )


def downgrade() -> None:
    op.drop_index("idx_job_event_org_status", "job_event")
    for name in reversed(INDEXES):
        op.drop_index(name, "job")


def create_job_index(name: str, *leading: str, where: str | None = None) -> None:
    columns = [sa.text(column) for column in ("org_id", *leading, "id DESC")]
    op.create_index(name, "job", columns, postgresql_where=sa.text(where) if where else None)

"""The time when a job was last queued, from which its wait is measured."""

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None

Timestamp = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("job", sa.Column("queued_at", Timestamp))
    # Events that do not change the status have an equal `prev_status`.
    op.execute(
        "UPDATE job SET queued_at = coalesce(("
        "SELECT max(ts) FROM job_event AS event"
        " WHERE event.org_id = job.org_id AND event.job_id = job.id"
        " AND event.next_status = 'queued' AND event.prev_status IS DISTINCT FROM 'queued'"
        "), created_at)"
    )
    op.alter_column("job", "queued_at", nullable=False, server_default=sa.text("now()"))


def downgrade() -> None:
    op.drop_column("job", "queued_at")

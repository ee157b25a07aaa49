"""Workers and progress of jobs, and the order in which the jobs of a queue are due."""

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    # A queued job is in one of the next two, and no other job in either: so those that are due only
    # in the future do not lie between those that are due at once.
    # jobs { waiting } and queues: the jobs of a queue that are due at once, in their order.
    create_queue_index("idx_job_org_queue_unscheduled", "IS NULL")
    # jobs { waiting } and queues: those that have a time, due or not, in the same order.
    create_queue_index("idx_job_org_queue_scheduled", "IS NOT NULL")

    op.add_column("job", sa.Column("worker", sa.Text))
    # As those of 0007, it also finds names by their beginning.
    # jobs(filter: {worker: ...}) by CREATED_AT, also if there are none.
    op.create_index(
        "idx_job_org_worker",
        "job",
        [
            sa.text(column)
            for column in ("org_id", "worker text_pattern_ops", "created_at DESC", "id DESC")
        ],
        postgresql_where=sa.text("worker IS NOT NULL"),
    )

    # Job.progress. No index has them, so that PostgreSQL need not change any for a new progress.
    op.add_column("job", sa.Column("progress_fraction", sa.Double))
    op.add_column("job", sa.Column("progress_step", sa.Text))
    op.add_column("job", sa.Column("progress_at", sa.DateTime(timezone=True)))
    op.create_check_constraint(
        "ck_job_progress_fraction", "job", "progress_fraction >= 0 AND progress_fraction <= 1"
    )


def downgrade() -> None:
    op.drop_constraint("ck_job_progress_fraction", "job")
    for name in ("progress_at", "progress_step", "progress_fraction"):
        op.drop_column("job", name)
    op.drop_index("idx_job_org_worker", "job")
    op.drop_column("job", "worker")
    op.drop_index("idx_job_org_queue_scheduled", "job")
    op.drop_index("idx_job_org_queue_unscheduled", "job")


def create_queue_index(name: str, scheduled: str) -> None:
    op.create_index(
        name,
        "job",
        [sa.text(column) for column in ("org_id", "queue", "priority DESC", "id")],
        postgresql_include=["queued_at", "scheduled_at"],
        postgresql_where=sa.text(f"status = 'queued' AND scheduled_at {scheduled}"),
    )

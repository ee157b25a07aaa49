"""The jobs under way that failed before, and were started three times."""

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | None = None
depends_on: str | None = None

ARE_FLAPPING = (
    "attempt >= 3 AND error_group IS NOT NULL "
    "AND (status = ANY (ARRAY['queued'::text, 'running'::text]))"
)


def upgrade() -> None:
    # jobs(filter: {health: FLAPPING}).
    op.create_index(
        "idx_job_org_flapping",
        "job",
        [sa.text(column) for column in ("org_id", "created_at DESC", "id DESC")],
        postgresql_where=sa.text(ARE_FLAPPING),
    )


def downgrade() -> None:
    op.drop_index("idx_job_org_flapping", "job")

"""Sums of durations without those that sources did not report: they are made again."""

from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    # Without it, the organisation's sums are made again, from its events.
    op.execute("DELETE FROM tally_state WHERE org_id IN (SELECT org_id FROM source)")


def downgrade() -> None:
    op.execute("DELETE FROM tally_state WHERE org_id IN (SELECT org_id FROM source)")

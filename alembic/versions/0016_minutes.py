"""Sums of the minutes of the last hours."""

from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE tally_state ADD COLUMN minutes_from timestamptz,"
        " ADD COLUMN minutes_seen pg_snapshot"
    )


def downgrade() -> None:
    # Older versions do not read the sums of minutes. The next upgrade has them made again.
    op.execute("ALTER TABLE tally_state DROP COLUMN minutes_from, DROP COLUMN minutes_seen")

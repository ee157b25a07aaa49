"""What is usual for each type of jobs, by which the health of jobs is judged."""

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | None = None
depends_on: str | None = None

ORGANISATION = "nullif(current_setting('joblens.org_id', true), '')::uuid"


def upgrade() -> None:
    op.create_table(
        "type_usual",
        sa.Column("org_id", sa.Uuid, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        *(
            column
            for kind in ("wait", "run")
            for column in (
                sa.Column(f"{kind}_sample", sa.BigInteger, nullable=False),
                sa.Column(f"{kind}_median", sa.Double),
                sa.Column(f"{kind}_p95", sa.Double),
            )
        ),
        sa.Column("late_after", sa.Interval),
        sa.Column("slow_after", sa.Interval),
        sa.Column("stuck_after", sa.Interval),
        sa.Column("silent_after", sa.Interval),
        sa.PrimaryKeyConstraint("org_id", "type", name="pk_type_usual"),
    )
    op.execute("ALTER TABLE type_usual ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY type_usual_organisation ON type_usual TO joblens_app "
        f"USING (org_id = {ORGANISATION}) WITH CHECK (org_id = {ORGANISATION})"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON type_usual TO joblens_app")


def downgrade() -> None:
    op.drop_table("type_usual")

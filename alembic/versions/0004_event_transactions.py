"""Which transaction wrote an event: what tells new events from those that were told already."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import UserDefinedType

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_options: object) -> str:
        return "xid8"


def upgrade() -> None:
    # Events from before this migration have none. Two steps: a volatile default in the first would
    # rewrite the table.
    op.add_column("job_event", sa.Column("xid", Xid8))
    op.alter_column("job_event", "xid", server_default=sa.text("pg_current_xact_id()"))
    # The subscription jobEvents: what a snapshot sees and the one before it did not.
    op.create_index(
        "idx_job_event_org_xid",
        "job_event",
        ["org_id", "xid"],
        postgresql_where=sa.text("xid IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("idx_job_event_org_xid", "job_event")
    op.drop_column("job_event", "xid")

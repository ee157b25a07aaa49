"""The transaction id of each event, with which subscriptions detect new events."""

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
    # Existing events have none. Two steps, because adding a column with a volatile default would
    # rewrite the table.
    op.add_column("job_event", sa.Column("xid", Xid8))
    op.alter_column("job_event", "xid", server_default=sa.text("pg_current_xact_id()"))
    # The subscription jobEvents: events that a snapshot sees and the previous one did not.
    op.create_index(
        "idx_job_event_org_xid",
        "job_event",
        ["org_id", "xid"],
        postgresql_where=sa.text("xid IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("idx_job_event_org_xid", "job_event")
    op.drop_column("job_event", "xid")

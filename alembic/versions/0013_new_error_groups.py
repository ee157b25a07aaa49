"""The transaction that wrote the first error of a group, by which subscriptions find new groups."""

from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    # Groups that are there have none: they are older than any cursor of the subscription.
    op.execute("ALTER TABLE error_group ADD COLUMN first_xid xid8")


def downgrade() -> None:
    op.drop_column("error_group", "first_xid")

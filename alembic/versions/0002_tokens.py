"""Organisations and their API tokens."""

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None

ORGANISATION = "nullif(current_setting('joblens.org_id', true), '')::uuid"
ROLES = "'viewer', 'writer', 'operator', 'admin'"
Timestamp = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_org()
    create_token()
    for table in ("org", "token"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY {table}_organisation ON {table} TO joblens_app "
            f"USING (org_id = {ORGANISATION}) WITH CHECK (org_id = {ORGANISATION})"
        )
        # Only the owner writes tokens, so that requests cannot extend their own rights.
        op.execute(f"GRANT SELECT ON {table} TO joblens_app")
    op.execute("GRANT UPDATE (last_used_at) ON token TO joblens_app")


def downgrade() -> None:
    op.drop_table("token")
    op.drop_table("org")


def create_org() -> None:
    op.create_table(
        "org",
        sa.Column("org_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", Timestamp, nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("org_id", name="pk_org"),
        sa.CheckConstraint("name <> ''", name="ck_org_name"),
    )


def create_token() -> None:
    op.create_table(
        "token",
        sa.Column("org_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("roles", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("created_at", Timestamp, nullable=False, server_default=sa.text("now()")),
        sa.Column("expires_at", Timestamp),
        sa.Column("last_used_at", Timestamp),
        sa.Column("revoked_at", Timestamp),
        sa.PrimaryKeyConstraint("org_id", "id", name="pk_token"),
        # Looks up the token of a request within its organisation.
        sa.UniqueConstraint("org_id", "hash", name="uq_token_org_hash"),
        sa.ForeignKeyConstraint(
            ["org_id"], ["org.org_id"], name="fk_token_org", ondelete="CASCADE"
        ),
        sa.CheckConstraint("octet_length(hash) = 32", name="ck_token_hash"),
        sa.CheckConstraint("name <> ''", name="ck_token_name"),
        sa.CheckConstraint(
            f"cardinality(roles) > 0 AND roles <@ ARRAY[{ROLES}]", name="ck_token_roles"
        ),
    )

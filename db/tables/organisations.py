"""Organisations, their tokens, and how long their jobs are kept."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from db.statuses import TERMINAL_STATUSES
from db.tables.types import Timestamp, metadata, one_of

# The roles of a token.
ROLES = ("viewer", "writer", "operator", "admin")

org_table = Table(
    "org",
    metadata,
    Column("org_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", Timestamp, nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("org_id", name="pk_org"),
    CheckConstraint("name <> ''", name="ck_org_name"),
)

# Only the hash of a token is stored, so reading this table does not allow signing in.
token_table = Table(
    "token",
    metadata,
    Column("org_id", Uuid, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("roles", ARRAY(Text), nullable=False),
    Column("created_at", Timestamp, nullable=False, server_default=text("now()")),
    Column("expires_at", Timestamp),
    Column("last_used_at", Timestamp),
    Column("revoked_at", Timestamp),
    PrimaryKeyConstraint("org_id", "id", name="pk_token"),
    UniqueConstraint("org_id", "hash", name="uq_token_org_hash"),
    ForeignKeyConstraint(["org_id"], ["org.org_id"], name="fk_token_org", ondelete="CASCADE"),
    CheckConstraint("octet_length(hash) = 32", name="ck_token_hash"),
    CheckConstraint("name <> ''", name="ck_token_name"),
    CheckConstraint(
        f"cardinality(roles) > 0 AND roles <@ ARRAY[{', '.join(map(repr, ROLES))}]",
        name="ck_token_roles",
    ),
)

# How long jobs are kept after they have ended; see db.retention. A null status or type: any. The
# jobs themselves are found in the order of idx_job_org_finished.
retention_policy_table = Table(
    "retention_policy",
    metadata,
    Column("org_id", Uuid, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("status", Text),
    Column("type", Text),
    Column("keep_seconds", BigInteger, nullable=False),
    Column("created_at", Timestamp, nullable=False),
    PrimaryKeyConstraint("org_id", "id", name="pk_retention_policy"),
    UniqueConstraint(
        "org_id",
        "status",
        "type",
        name="uq_retention_policy_org_status_type",
        postgresql_nulls_not_distinct=True,
    ),
    CheckConstraint(one_of("status", sorted(TERMINAL_STATUSES)), name="ck_retention_policy_status"),
    CheckConstraint("type NOT IN ('', '*')", name="ck_retention_policy_type"),
    CheckConstraint("keep_seconds > 0", name="ck_retention_policy_keep_seconds"),
)

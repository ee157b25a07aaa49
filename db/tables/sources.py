"""Sources: other systems that run jobs, whose facts the ledger takes."""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from db.tables.types import Timestamp, metadata

# `settings` and `checkpoint` are those of its mirror: how it reads, and how far it has read. The
# secret of an address is never in them.
source_table = Table(
    "source",
    metadata,
    Column("org_id", Uuid, nullable=False),
    Column("id", Uuid, nullable=False, server_default=text("gen_random_uuid()")),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("created_at", Timestamp, nullable=False, server_default=text("now()")),
    Column("settings", JSONB(none_as_null=True)),
    Column("checkpoint", JSONB(none_as_null=True)),
    Column("schema_version", Text),
    Column("lag_seconds", Double),
    Column("last_seen_at", Timestamp),
    Column("last_error", Text),
    Column("backlog_bytes", BigInteger),
    PrimaryKeyConstraint("org_id", "id", name="pk_source"),
    Index("uq_source_org_name", "org_id", "name", unique=True),
)

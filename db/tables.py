"""SQLAlchemy's definitions of the tables; the migrations in `alembic/` create them.

Every key and index starts with `org_id`, so that an organisation's rows are one contiguous range.
"""

from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import UserDefinedType

from db.job_defaults import (
    DEFAULT_BACKOFF_POLICY,
    DEFAULT_MAX_ATTEMPTS,
    DEFAULT_PRIORITY,
    DEFAULT_QUEUE,
)
from db.statuses import TERMINAL_STATUSES, BackoffPolicy, JobStatus

metadata = MetaData()

Timestamp = DateTime(timezone=True)


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id, which never wraps around."""

    cache_ok = True

    def get_col_spec(self, **_options: object) -> str:
        """Return the name of the type in SQL."""
        return "xid8"


class PgSnapshot(UserDefinedType[str]):
    """PostgreSQL's snapshot: which transactions it sees."""

    cache_ok = True

    def get_col_spec(self, **_options: object) -> str:
        """Return the name of the type in SQL."""
        return "pg_snapshot"


# `alembic check` looks the types up here when it inspects a database.
ischema_names["xid8"] = Xid8
ischema_names["pg_snapshot"] = PgSnapshot

# The roles of a token.
ROLES = ("viewer", "writer", "operator", "admin")
FAR_FUTURE = literal_column("'infinity'::timestamp with time zone", Timestamp)


def _one_of(column: str, values: list[str]) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


# A missing time sorts as if it were in the future: without NULLs, one row comparison finds any page
# in the index. Not coalesce(): under row level security only leakproof conditions can use an index.
# Formatted as PostgreSQL does, because `alembic check` compares the text.
_FUTURE_IF_NULL = """
CASE
    WHEN {0} IS NULL THEN 'infinity'::timestamp with time zone
    ELSE {0}
END"""


def future_if_null(column: str) -> ColumnElement[datetime]:
    """Return the time by which lists are sorted if this column of `job` may be null."""
    return literal_column(f"({_FUTURE_IF_NULL.format(f'job.{column}')})", Timestamp)


def _page_index(name: str, *leading: str, where: str | None = None) -> Index:
    """Define an index that ends in the unique column of its order, so that pages need no sort."""
    columns = [text(column) for column in ("org_id", *leading, "id DESC")]
    return Index(name, *columns, postgresql_where=text(where) if where else None)


def _prefix_index(name: str, column: str) -> Index:
    """Define an index that also finds values by their beginning, in any collation."""
    return Index(
        name,
        "org_id",
        column,
        text("created_at DESC"),
        text("id DESC"),
        postgresql_ops={column: "text_pattern_ops"},
        postgresql_where=text(f"{column} IS NOT NULL"),
    )


job_table = Table(
    "job",
    metadata,
    Column("org_id", Uuid, nullable=False),
    Column("id", Uuid, nullable=False, server_default=text("gen_random_uuid()")),
    Column("type", Text, nullable=False),
    Column("queue", Text, nullable=False, server_default=DEFAULT_QUEUE),
    Column("status", Text, nullable=False, server_default=JobStatus.QUEUED.value),
    Column("priority", Integer, nullable=False, server_default=str(DEFAULT_PRIORITY)),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("max_attempts", Integer, nullable=False, server_default=str(DEFAULT_MAX_ATTEMPTS)),
    Column("backoff_policy", Text, nullable=False, server_default=DEFAULT_BACKOFF_POLICY.value),
    Column("idempotency_key", Text),
    Column("requested_by", Text),
    Column("payload", JSONB(none_as_null=True)),
    Column("result", JSONB(none_as_null=True)),
    Column("last_error_code", Text),
    Column("last_error_message", Text),
    Column("event_seq", Integer, nullable=False, server_default="0"),
    Column("created_at", Timestamp, nullable=False, server_default=text("now()")),
    Column("updated_at", Timestamp, nullable=False, server_default=text("now()")),
    Column("scheduled_at", Timestamp),
    Column("started_at", Timestamp),
    Column("finished_at", Timestamp),
    Column("queued_at", Timestamp, nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("org_id", "id", name="pk_job"),
    CheckConstraint(_one_of("status", list(JobStatus)), name="ck_job_status"),
    CheckConstraint(_one_of("backoff_policy", list(BackoffPolicy)), name="ck_job_backoff_policy"),
    CheckConstraint(
        f"({_one_of('status', sorted(TERMINAL_STATUSES))}) = (finished_at IS NOT NULL)",
        name="ck_job_finished",
    ),
    CheckConstraint("attempt >= 0 AND attempt <= max_attempts", name="ck_job_attempt"),
    CheckConstraint("event_seq >= 0", name="ck_job_event_seq"),
    _page_index("idx_job_org_created", "created_at DESC"),
    _page_index("idx_job_org_updated", "updated_at DESC"),
    _page_index("idx_job_org_finished", f"({_FUTURE_IF_NULL.format('finished_at')}) DESC"),
    _page_index("idx_job_org_scheduled", f"({_FUTURE_IF_NULL.format('scheduled_at')}) DESC"),
    _page_index("idx_job_org_started", f"({_FUTURE_IF_NULL.format('started_at')}) DESC"),
    _page_index("idx_job_org_priority", "priority DESC"),
    _page_index("idx_job_org_status", "status", "created_at DESC"),
    _page_index("idx_job_org_type", "type", "created_at DESC"),
    _page_index("idx_job_org_type_status", "type", "status", "created_at DESC"),
    _page_index("idx_job_org_queue", "queue", "created_at DESC"),
    # Searched by the function of migration 0007. Paths in it begin with the organisation.
    Index(
        "idx_job_payload",
        literal_column("jsonb_set('{}'::jsonb, ARRAY[org_id::text], payload)").label("document"),
        postgresql_using="gin",
        postgresql_ops={"document": "jsonb_path_ops"},
        postgresql_where=text("payload IS NOT NULL"),
    ),
    _prefix_index("idx_job_org_requested_by", "requested_by"),
    _prefix_index("idx_job_org_error_code", "last_error_code"),
    _page_index(
        "idx_job_org_error_message", "created_at DESC", where="last_error_message IS NOT NULL"
    ),
    _page_index("idx_job_org_queued_priority", "priority DESC", where="status = 'queued'"),
    Index(
        "uq_job_org_idempotency",
        "org_id",
        "idempotency_key",
        unique=True,
        postgresql_where=text("idempotency_key IS NOT NULL"),
    ),
)

job_event_table = Table(
    "job_event",
    metadata,
    Column("org_id", Uuid, nullable=False),
    Column("job_id", Uuid, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("ts", Timestamp, nullable=False, server_default=text("now()")),
    Column("prev_status", Text),
    Column("next_status", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("detail", JSONB(none_as_null=True)),
    # The transaction that wrote it; null for events that are older than this column.
    Column("xid", Xid8, server_default=text("pg_current_xact_id()")),
    PrimaryKeyConstraint("org_id", "job_id", "seq", name="pk_job_event"),
    ForeignKeyConstraint(
        ["org_id", "job_id"], ["job.org_id", "job.id"], name="fk_job_event_job", ondelete="CASCADE"
    ),
    CheckConstraint(_one_of("next_status", list(JobStatus)), name="ck_job_event_next_status"),
    CheckConstraint(_one_of("prev_status", list(JobStatus)), name="ck_job_event_prev_status"),
    CheckConstraint("seq >= 1", name="ck_job_event_seq"),
    Index(
        "idx_job_event_org_ts",
        text("org_id"),
        text("ts DESC"),
        text("job_id DESC"),
        text("seq DESC"),
    ),
    Index(
        "idx_job_event_org_status",
        text("org_id"),
        text("next_status"),
        text("ts DESC"),
        text("job_id DESC"),
        text("seq DESC"),
        postgresql_where=text(_one_of("next_status", ["failed", "canceled", "dead_letter"])),
    ),
    Index("idx_job_event_org_xid", "org_id", "xid", postgresql_where=text("xid IS NOT NULL")),
)

# How far the events of an organisation are summed: those that the snapshot `seen` sees, and that
# are older than `summed_until`, which is null once all are. Events without `xid` are seen.
# `cluster`: the server's identifier, for the transaction ids of another server say nothing here.
tally_state_table = Table(
    "tally_state",
    metadata,
    Column("org_id", Uuid, nullable=False),
    Column("cluster", BigInteger, nullable=False),
    Column("seen", PgSnapshot, nullable=False),
    Column("summed_until", Timestamp),
    PrimaryKeyConstraint("org_id", name="pk_tally_state"),
)

# The pairs of type and queue that have sums of their own; see db.tallies.keys.
tally_key_table = Table(
    "tally_key",
    metadata,
    Column("org_id", Uuid, nullable=False),
    Column("id", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("queue", Text, nullable=False),
    PrimaryKeyConstraint("org_id", "id", name="pk_tally_key"),
    UniqueConstraint("org_id", "type", "queue", name="uq_tally_key_org_type_queue"),
)

# The changes of status in a span of time that begins at `start`: of one key's jobs, or of all jobs
# (key 0). Columns: how many jobs were created, entered a status, and left one.
tally_table = Table(
    "tally",
    metadata,
    Column("org_id", Uuid, nullable=False),
    Column("span", SmallInteger, nullable=False),
    Column("key_id", Integer, nullable=False),
    Column("start", Timestamp, nullable=False),
    Column("created", BigInteger, nullable=False, server_default="0"),
    *(
        Column(f"{change}_{status}", BigInteger, nullable=False, server_default="0")
        for change in ("entered", "left")
        for status in JobStatus
    ),
    PrimaryKeyConstraint("org_id", "span", "key_id", "start", name="pk_tally"),
)

# How long jobs waited, or ran, until the changes of status of a span: a sketch of the durations in
# seconds; see db.tallies.sketches. Of single keys there are only those of days.
tally_duration_table = Table(
    "tally_duration",
    metadata,
    Column("org_id", Uuid, nullable=False),
    Column("span", SmallInteger, nullable=False),
    Column("key_id", Integer, nullable=False),
    Column("start", Timestamp, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("bins", ARRAY(Integer), nullable=False),
    Column("counts", ARRAY(BigInteger), nullable=False),
    Column("total", Double, nullable=False),
    Column("least", Double, nullable=False),
    Column("most", Double, nullable=False),
    PrimaryKeyConstraint("org_id", "span", "key_id", "start", "kind", name="pk_tally_duration"),
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
    CheckConstraint(
        _one_of("status", sorted(TERMINAL_STATUSES)), name="ck_retention_policy_status"
    ),
    CheckConstraint("type NOT IN ('', '*')", name="ck_retention_policy_type"),
    CheckConstraint("keep_seconds > 0", name="ck_retention_policy_keep_seconds"),
)

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

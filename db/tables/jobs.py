"""Jobs and their events."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    Column,
    ColumnElement,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from db.job_defaults import (
    DEFAULT_BACKOFF_POLICY,
    DEFAULT_MAX_ATTEMPTS,
    DEFAULT_PRIORITY,
    DEFAULT_QUEUE,
)
from db.statuses import TERMINAL_STATUSES, BackoffPolicy, JobStatus
from db.tables.types import Timestamp, Xid8, metadata, one_of

FAR_FUTURE = literal_column("'infinity'::timestamp with time zone", Timestamp)

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


def _prefix_index(name: str, column: str, *also: str) -> Index:
    """Define an index that also finds values by their beginning, in any collation.

    It has the columns `also`, so that groups by these and the value are counted without the table.
    """
    return Index(
        name,
        "org_id",
        column,
        text("created_at DESC"),
        text("id DESC"),
        postgresql_ops={column: "text_pattern_ops"},
        postgresql_include=also,
        postgresql_where=text(f"{column} IS NOT NULL"),
    )


def _queue_index(name: str, scheduled: str) -> Index:
    """Define an index of the queued jobs of each queue, in the order of db.queries.due_jobs."""
    return Index(
        name,
        *map(text, ("org_id", "queue", "priority DESC", "id")),
        postgresql_include=("queued_at", "scheduled_at"),
        postgresql_where=text(f"status = 'queued' AND scheduled_at {scheduled}"),
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
    # Who runs it, or ran it last; null if its last start named none.
    Column("worker", Text),
    # The progress of its last run. No index has these columns: see ADR 20.
    Column("progress_fraction", Double),
    Column("progress_step", Text),
    Column("progress_at", Timestamp),
    # May name a job that was deleted.
    Column("parent_id", Uuid),
    Column("batch", Text),
    # A list of texts in alphabetical order; null if there are none.
    Column("tags", JSONB(none_as_null=True)),
    # The fingerprint of its last error; see db.error_groups.
    Column("error_group", Uuid),
    # The system that runs it, what that calls it, and when its facts described it; all
    # null for a job that is run by its records here. See db.facts.
    Column("source_id", Uuid),
    Column("external_id", Text),
    Column("described", JSONB(none_as_null=True)),
    PrimaryKeyConstraint("org_id", "id", name="pk_job"),
    CheckConstraint(one_of("status", list(JobStatus)), name="ck_job_status"),
    CheckConstraint(one_of("backoff_policy", list(BackoffPolicy)), name="ck_job_backoff_policy"),
    CheckConstraint(
        f"({one_of('status', sorted(TERMINAL_STATUSES))}) = (finished_at IS NOT NULL)",
        name="ck_job_finished",
    ),
    CheckConstraint("attempt >= 0 AND attempt <= max_attempts", name="ck_job_attempt"),
    CheckConstraint("event_seq >= 0", name="ck_job_event_seq"),
    CheckConstraint("(source_id IS NULL) = (external_id IS NULL)", name="ck_job_source"),
    CheckConstraint(
        "progress_fraction >= 0 AND progress_fraction <= 1", name="ck_job_progress_fraction"
    ),
    CheckConstraint(
        "jsonb_typeof(tags) = 'array' AND NOT "
        """jsonb_path_exists(tags, 'strict $[*] ? (@.type() <> "string")')""",
        name="ck_job_tags",
    ),
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
    # Searched by a function, too.
    Index(
        "idx_job_error_trigrams",
        text("joblens_error_trigrams(org_id, last_error_message)"),
        postgresql_using="gin",
        postgresql_where=text("last_error_message IS NOT NULL"),
    ),
    _prefix_index("idx_job_org_requested_by", "requested_by"),
    _prefix_index("idx_job_org_worker", "worker"),
    _prefix_index("idx_job_org_error_code", "last_error_code", "status", "type", "queue"),
    _page_index(
        "idx_job_org_error_message", "created_at DESC", where="last_error_message IS NOT NULL"
    ),
    Index(
        "idx_job_org_error_group",
        "org_id",
        "error_group",
        text("created_at DESC"),
        text("id DESC"),
        postgresql_include=("status", "type", "queue"),
        postgresql_where=text("error_group IS NOT NULL"),
    ),
    # The jobs whose errors are older than their groups.
    Index(
        "idx_job_org_ungrouped",
        "org_id",
        "id",
        postgresql_where=text(
            "error_group IS NULL "
            "AND (last_error_code IS NOT NULL OR last_error_message IS NOT NULL)"
        ),
    ),
    _page_index(
        "idx_job_org_parent", "parent_id", "created_at DESC", where="parent_id IS NOT NULL"
    ),
    _prefix_index("idx_job_org_batch", "batch", "status", "finished_at"),
    # Searched by the function of migration 0009, as payloads are.
    Index(
        "idx_job_tags",
        literal_column("jsonb_set('{}'::jsonb, ARRAY[org_id::text], tags)").label("document"),
        postgresql_using="gin",
        postgresql_ops={"document": "jsonb_path_ops"},
        postgresql_where=text("tags IS NOT NULL"),
    ),
    _page_index(
        "idx_job_org_source", "source_id", "created_at DESC", where="source_id IS NOT NULL"
    ),
    _prefix_index("idx_job_org_external_id", "external_id"),
    # Few: those under way that failed before, and were started as often as db.health names.
    _page_index(
        "idx_job_org_flapping",
        "created_at DESC",
        where="attempt >= 3 AND error_group IS NOT NULL AND status IN ('queued', 'running')",
    ),
    _page_index("idx_job_org_queued_priority", "priority DESC", where="status = 'queued'"),
    _queue_index("idx_job_org_queue_unscheduled", "IS NULL"),
    _queue_index("idx_job_org_queue_scheduled", "IS NOT NULL"),
    Index(
        "uq_job_org_idempotency",
        "org_id",
        "idempotency_key",
        unique=True,
        postgresql_ops={"idempotency_key": "text_pattern_ops"},
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
    CheckConstraint(one_of("next_status", list(JobStatus)), name="ck_job_event_next_status"),
    CheckConstraint(one_of("prev_status", list(JobStatus)), name="ck_job_event_prev_status"),
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
        postgresql_where=text(one_of("next_status", ["failed", "canceled", "dead_letter"])),
    ),
    Index("idx_job_event_org_xid", "org_id", "xid", postgresql_where=text("xid IS NOT NULL")),
)

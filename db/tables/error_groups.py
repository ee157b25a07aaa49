"""Groups of errors, and how often they occurred; see db.error_groups."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from db.tables.types import Timestamp, Xid8, metadata

# The errors that have a fingerprint: what they have in common, and of which types of jobs they are.
# Their events are those that the sums have; see tally_state. `first_xid`: the smallest id of the
# transactions that wrote them; null if one is not known.
error_group_table = Table(
    "error_group",
    metadata,
    Column("org_id", Uuid, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("code", Text),
    Column("message", Text, nullable=False),
    Column("types", ARRAY(Text), nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("first_seen_at", Timestamp, nullable=False),
    Column("last_seen_at", Timestamp, nullable=False),
    Column("first_xid", Xid8),
    PrimaryKeyConstraint("org_id", "id", name="pk_error_group"),
)

# How many events of a group were in a span of time; see tally.
error_tally_table = Table(
    "error_tally",
    metadata,
    Column("org_id", Uuid, nullable=False),
    Column("error_group", Uuid, nullable=False),
    Column("span", SmallInteger, nullable=False),
    Column("start", Timestamp, nullable=False),
    Column("events", BigInteger, nullable=False),
    PrimaryKeyConstraint("org_id", "error_group", "span", "start", name="pk_error_tally"),
)

# The jobs with an error, as error_job_tally counts them; `key_id`: see tally_key.
error_job_table = Table(
    "error_job",
    metadata,
    Column("org_id", Uuid, nullable=False),
    Column("job_id", Uuid, nullable=False),
    Column("key_id", Integer, nullable=False),
    Column("error_code", Text),
    Column("error_group", Uuid),
    Column("status", Text, nullable=False),
    PrimaryKeyConstraint("org_id", "job_id", name="pk_error_job"),
)

# How many rows of error_job are the same.
error_job_tally_table = Table(
    "error_job_tally",
    metadata,
    Column("org_id", Uuid, nullable=False),
    Column("key_id", Integer, nullable=False),
    Column("error_code", Text),
    Column("error_group", Uuid),
    Column("status", Text, nullable=False),
    Column("jobs", BigInteger, nullable=False),
    UniqueConstraint(
        "org_id",
        "key_id",
        "error_code",
        "error_group",
        "status",
        name="uq_error_job_tally",
        postgresql_nulls_not_distinct=True,
    ),
)

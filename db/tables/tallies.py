"""Sums of events; see db.tallies."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Double,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from db.statuses import JobStatus
from db.tables.types import PgSnapshot, Timestamp, metadata

# How far the events of an organisation are summed: those that the snapshot `seen` sees, and that
# are older than `summed_until`, which is null once all are. Events without `xid` are seen.
# `cluster`: the server's identifier, for the transaction ids of another server say nothing here.
# Sums of minutes are there from `minutes_from` on, if `minutes_seen` is the same as `seen`;
# jobs are counted by their errors if `errors_seen` is.
tally_state_table = Table(
    "tally_state",
    metadata,
    Column("org_id", Uuid, nullable=False),
    Column("cluster", BigInteger, nullable=False),
    Column("seen", PgSnapshot, nullable=False),
    Column("summed_until", Timestamp),
    Column("minutes_from", Timestamp),
    Column("minutes_seen", PgSnapshot),
    Column("errors_seen", PgSnapshot),
    PrimaryKeyConstraint("org_id", name="pk_tally_state"),
)

# What has sums of its own: pairs of type and queue, and each type and each queue of them, whose
# other column is null. A pair has the keys of its type and its queue; see db.tallies.keys.
tally_key_table = Table(
    "tally_key",
    metadata,
    Column("org_id", Uuid, nullable=False),
    Column("id", Integer, nullable=False),
    Column("type", Text),
    Column("queue", Text),
    Column("type_key", Integer),
    Column("queue_key", Integer),
    PrimaryKeyConstraint("org_id", "id", name="pk_tally_key"),
    UniqueConstraint(
        "org_id",
        "type",
        "queue",
        name="uq_tally_key_org_type_queue",
        postgresql_nulls_not_distinct=True,
    ),
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
# seconds; see db.tallies.sketches. Those of hours are of all jobs only.
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

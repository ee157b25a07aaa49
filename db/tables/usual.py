"""What is usual for each type of jobs; see db.health."""

from sqlalchemy import BigInteger, Column, Double, Interval, PrimaryKeyConstraint, Table, Text, Uuid

from db.tables.types import Timestamp, metadata

# Of the waits and the runs of the last days: how many there were, in seconds the median and the
# 95th percentile, and the bounds that follow from them. Null: there were too few.
type_usual_table = Table(
    "type_usual",
    metadata,
    Column("org_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("made_at", Timestamp, nullable=False),
    *(
        column
        for kind in ("wait", "run")
        for column in (
            Column(f"{kind}_sample", BigInteger, nullable=False),
            Column(f"{kind}_median", Double),
            Column(f"{kind}_p95", Double),
        )
    ),
    Column("late_after", Interval),
    Column("slow_after", Interval),
    Column("stuck_after", Interval),
    Column("silent_after", Interval),
    PrimaryKeyConstraint("org_id", "type", name="pk_type_usual"),
)

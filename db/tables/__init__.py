"""SQLAlchemy's definitions of the tables; the migrations in `alembic/` create them.

Every key and index starts with `org_id`, so that an organisation's rows are one contiguous range.
"""

from db.tables.error_groups import (
    error_group_table,
    error_job_table,
    error_job_tally_table,
    error_tally_table,
)
from db.tables.jobs import FAR_FUTURE, future_if_null, job_event_table, job_table
from db.tables.organisations import ROLES, org_table, retention_policy_table, token_table
from db.tables.sources import source_table
from db.tables.tallies import (
    tally_duration_table,
    tally_key_table,
    tally_state_table,
    tally_table,
)
from db.tables.types import PgSnapshot, Timestamp, Xid8, metadata
from db.tables.usual import type_usual_table

__all__ = [
    "FAR_FUTURE",
    "ROLES",
    "PgSnapshot",
    "Timestamp",
    "Xid8",
    "error_group_table",
    "error_job_table",
    "error_job_tally_table",
    "error_tally_table",
    "future_if_null",
    "job_event_table",
    "job_table",
    "metadata",
    "org_table",
    "retention_policy_table",
    "source_table",
    "tally_duration_table",
    "tally_key_table",
    "tally_state_table",
    "tally_table",
    "token_table",
    "type_usual_table",
]

"""What jobs can be grouped by."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement

from db.health import HealthVerdict
from db.queries.health import verdict_at
from db.tables import job_table


class JobDimension(StrEnum):
    """What jobs can be grouped by: columns, except the health."""

    STATUS = "status"
    TYPE = "type"
    QUEUE = "queue"
    REQUESTED_BY = "requested_by"
    LAST_ERROR_CODE = "last_error_code"
    PRIORITY = "priority"
    ERROR_GROUP = "error_group"
    WORKER = "worker"
    BATCH = "batch"
    SOURCE = "source_id"
    HEALTH = "health"


# The dimensions that tallies know: those of their keys, and of their columns.
KEYED = frozenset({JobDimension.TYPE, JobDimension.QUEUE})
TALLIED = KEYED | {JobDimension.STATUS}
# Those in which many jobs have the same value, that of REST: an index has the others.
SPARSE = frozenset(
    {
        JobDimension.LAST_ERROR_CODE,
        JobDimension.ERROR_GROUP,
        JobDimension.BATCH,
        JobDimension.SOURCE,
        JobDimension.HEALTH,
    }
)
# Those of SPARSE by which there are counts, too; see db.tallies.error_jobs.
ERRORS = frozenset({JobDimension.LAST_ERROR_CODE, JobDimension.ERROR_GROUP})
REST: Mapping[JobDimension, Any] = {
    **dict.fromkeys(SPARSE),
    JobDimension.HEALTH: HealthVerdict.OK.value,
}


def value_of(org_id: UUID, dimension: JobDimension, now: datetime) -> ColumnElement[Any]:
    """Return the value that a row of `job` has in a dimension. `now`: the time of the health."""
    if dimension is JobDimension.HEALTH:
        return verdict_at(org_id, now).label(dimension.value)
    return job_table.c[dimension.value]

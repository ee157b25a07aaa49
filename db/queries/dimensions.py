"""What jobs can be grouped by."""

from enum import StrEnum


class JobDimension(StrEnum):
    """The columns that jobs can be grouped by."""

    STATUS = "status"
    TYPE = "type"
    QUEUE = "queue"
    REQUESTED_BY = "requested_by"
    LAST_ERROR_CODE = "last_error_code"
    PRIORITY = "priority"
    ERROR_GROUP = "error_group"
    WORKER = "worker"
    BATCH = "batch"


# The dimensions that tallies know: those of their keys, and of their columns.
KEYED = frozenset({JobDimension.TYPE, JobDimension.QUEUE})
TALLIED = KEYED | {JobDimension.STATUS}
# Those that many jobs have none of, each with an index of the jobs that have one.
SPARSE = frozenset({JobDimension.LAST_ERROR_CODE, JobDimension.ERROR_GROUP, JobDimension.BATCH})

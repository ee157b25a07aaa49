"""The GraphQL enums: the words of the lower layers, each with its description."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

import strawberry

from db.queries.aggregates import JobDimension
from db.queries.keyset import JobOrderField
from db.statuses import BackoffPolicy, JobStatus
from resolvers.aggregates import TimeBucketSize
from resolvers.viewer import Role

E = TypeVar("E", bound=StrEnum)


def _describe(enum: type[E], description: str, values: Mapping[E, str]) -> None:
    strawberry.enum(enum, description=description)
    for value in enum.__strawberry_definition__.values:  # type: ignore[attr-defined]
        value.description = values[enum(value.value)]


class OrderDirection(StrEnum):
    """Which way a list runs."""

    ASC = "asc"
    DESC = "desc"


_describe(
    JobStatus,
    "Where a job stands.",
    {
        JobStatus.QUEUED: "It waits for a worker, or for its scheduled time.",
        JobStatus.RUNNING: "A worker is at it.",
        JobStatus.SUCCEEDED: "It ended well.",
        JobStatus.FAILED: "Its last attempt failed. It may be retried, canceled or given up.",
        JobStatus.CANCELED: "Somebody called it off.",
        JobStatus.DEAD_LETTER: "It was given up after its last attempt failed.",
    },
)
_describe(
    BackoffPolicy,
    "How long a job waits before a retry.",
    {
        BackoffPolicy.NONE: "It does not wait.",
        BackoffPolicy.FIXED: "The same time before each retry.",
        BackoffPolicy.EXPONENTIAL: "Twice as long before each further retry.",
    },
)
_describe(
    JobOrderField,
    "What a list of jobs can be ordered by. Ties are broken by id.",
    {
        JobOrderField.CREATED_AT: "When the job was created.",
        JobOrderField.UPDATED_AT: "When the job last changed.",
        JobOrderField.FINISHED_AT: "When the job ended. Unfinished jobs stand as if they ended in "
        "the future: first with DESC, last with ASC.",
        JobOrderField.PRIORITY: "How urgent the job is.",
    },
)
_describe(
    OrderDirection,
    "Which way a list runs.",
    {
        OrderDirection.ASC: "From the smallest or oldest up.",
        OrderDirection.DESC: "From the largest or newest down.",
    },
)
_describe(
    JobDimension,
    "What jobs can be grouped by.",
    {
        JobDimension.STATUS: "Where the job stands.",
        JobDimension.TYPE: "What kind of work it is.",
        JobDimension.QUEUE: "Which queue it is in.",
        JobDimension.REQUESTED_BY: "Who asked for it.",
        JobDimension.LAST_ERROR_CODE: "The code of its last error.",
        JobDimension.PRIORITY: "How urgent it is.",
    },
)
_describe(
    TimeBucketSize,
    "How long a bucket of a timeline is. Buckets are aligned to UTC.",
    {
        TimeBucketSize.MINUTE: "A minute.",
        TimeBucketSize.FIVE_MINUTES: "Five minutes.",
        TimeBucketSize.HOUR: "An hour.",
        TimeBucketSize.DAY: "A day, from midnight.",
        TimeBucketSize.WEEK: "A week, from Monday.",
    },
)
_describe(
    Role,
    "What a viewer may do. Each role may also do what the ones before it may.",
    {
        Role.VIEWER: "Read.",
        Role.WRITER: "Record jobs and what happens to them.",
        Role.OPERATOR: "Cancel and retry jobs.",
        Role.ADMIN: "Everything.",
    },
)

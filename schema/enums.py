"""The GraphQL enums: enums of the lower layers, with a description for each value."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

import strawberry

from db.health import HealthVerdict
from db.queries.dimensions import JobDimension
from db.queries.keyset import ErrorGroupOrder, JobOrderField
from db.statuses import BackoffPolicy, JobStatus
from resolvers.mutation_results import SkipReason
from resolvers.time_buckets import TimeBucketSize
from resolvers.viewer import Role
from resolvers.waiting import LATELY, WaitingReason

E = TypeVar("E", bound=StrEnum)


def _describe(enum: type[E], description: str, values: Mapping[E, str]) -> None:
    strawberry.enum(enum, description=description)
    for value in enum.__strawberry_definition__.values:  # type: ignore[attr-defined]
        value.description = values[enum(value.value)]


class OrderDirection(StrEnum):
    """The sort direction of a list."""

    ASC = "asc"
    DESC = "desc"


_describe(
    JobStatus,
    "The status of a job.",
    {
        JobStatus.QUEUED: "It waits for a worker or for its scheduled time.",
        JobStatus.RUNNING: "A worker is running it.",
        JobStatus.SUCCEEDED: "Its last run succeeded.",
        JobStatus.FAILED: "Its last run failed. It can be retried, canceled or dead-lettered.",
        JobStatus.CANCELED: "It was canceled.",
        JobStatus.DEAD_LETTER: "It was dead-lettered: its last run failed and only an operator can "
        "retry it.",
    },
)
_describe(
    BackoffPolicy,
    "How the delay before a retry is computed.",
    {
        BackoffPolicy.NONE: "No delay.",
        BackoffPolicy.FIXED: "The same delay before each retry.",
        BackoffPolicy.EXPONENTIAL: "A delay that doubles with each retry, up to a maximum.",
    },
)
_describe(
    JobOrderField,
    "The fields that a list of jobs can be sorted by. Ties are broken by id.",
    {
        JobOrderField.CREATED_AT: "The time the job was created.",
        JobOrderField.UPDATED_AT: "The time the job last changed.",
        JobOrderField.FINISHED_AT: "The time the last run ended. Unfinished jobs come first "
        "with DESC and last with ASC.",
        JobOrderField.PRIORITY: "The priority of the job.",
        JobOrderField.SCHEDULED_AT: "The earliest time the job may be started. Jobs without one "
        "come first with DESC and last with ASC.",
        JobOrderField.STARTED_AT: "The time the last run started. Jobs that were not started come "
        "first with DESC and last with ASC.",
    },
)
_describe(
    OrderDirection,
    "The sort direction of a list.",
    {
        OrderDirection.ASC: "Ascending: the smallest or oldest first.",
        OrderDirection.DESC: "Descending: the largest or newest first.",
    },
)
_describe(
    JobDimension,
    "The fields that jobs can be grouped by.",
    {
        JobDimension.STATUS: "The status of the job.",
        JobDimension.TYPE: "The type of the job.",
        JobDimension.QUEUE: "The queue of the job.",
        JobDimension.REQUESTED_BY: "The requester of the job.",
        JobDimension.LAST_ERROR_CODE: "The last error code of the job.",
        JobDimension.PRIORITY: "The priority of the job.",
        JobDimension.WORKER: "The worker that runs the job, or ran it last.",
        JobDimension.BATCH: "The name of the batch of the job.",
        JobDimension.ERROR_GROUP: "The group of the last error of the job.",
        JobDimension.SOURCE: "The source of the job.",
        JobDimension.HEALTH: "The verdict of `Job.health`, now.",
    },
)
_describe(
    HealthVerdict,
    "How a job that is under way does, beside what is usual for its type. The first of STUCK, "
    "LATE, FLAPPING and SLOW that holds counts.",
    {
        HealthVerdict.OK: "None of the others holds, or the job has ended.",
        HealthVerdict.LATE: "QUEUED, and due for more than a minute and more than twice as long as "
        "95 of 100 jobs of its type wait.",
        HealthVerdict.STUCK: "RUNNING for more than a minute and three times as long as 95 of 100 "
        "runs of its type take, and without an event for more than a minute and that long.",
        HealthVerdict.SLOW: "RUNNING for more than 10 seconds and longer than 95 of 100 runs of "
        "its type take.",
        HealthVerdict.FLAPPING: "QUEUED or RUNNING again after an error, and started at least "
        "three times.",
        HealthVerdict.UNKNOWN: "Its type has had fewer than 20 waits (of a QUEUED job) or runs (of "
        "a RUNNING one) in the last days.",
    },
)
_describe(
    ErrorGroupOrder,
    "The order of error groups; each begins with the largest.",
    {
        ErrorGroupOrder.LAST_SEEN: "When the last such error happened.",
        ErrorGroupOrder.FIRST_SEEN: "When the first such error happened.",
        ErrorGroupOrder.COUNT: "How many runs ended with such an error.",
    },
)
_describe(
    TimeBucketSize,
    "The length of a timeline's buckets, which are aligned to UTC.",
    {
        TimeBucketSize.MINUTE: "One minute.",
        TimeBucketSize.FIVE_MINUTES: "Five minutes.",
        TimeBucketSize.HOUR: "One hour.",
        TimeBucketSize.DAY: "One day, from midnight.",
        TimeBucketSize.WEEK: "One week, from Monday.",
    },
)
_describe(
    Role,
    "What a viewer may do. Each role includes the ones before it.",
    {
        Role.VIEWER: "Read jobs and events.",
        Role.WRITER: "Create jobs, change their status and record events.",
        Role.OPERATOR: "Cancel, retry, rerun and reschedule jobs.",
        Role.ADMIN: "Also read values that are redacted for other roles.",
    },
)
_describe(
    SkipReason,
    "Why a bulk mutation skipped a job.",
    {
        SkipReason.STATUS: "Its status, or its number of runs, does not allow the change.",
        SkipReason.CHANGED_SINCE: "It changed after `asOf`.",
        SkipReason.READ_ONLY: "It is of a source, and can be changed only there.",
        SkipReason.CONCURRENT_CHANGE: "Another transaction was changing it, or had changed it just "
        "before. No dry run can tell this.",
    },
)
_describe(
    WaitingReason,
    "Why a queued job waits.",
    {
        WaitingReason.SCHEDULED: "It is not due yet, and was never started.",
        WaitingReason.BACKING_OFF: "It is not due yet, and was started before: it waits for its "
        "next attempt.",
        WaitingReason.BEHIND_OTHERS: "It is due, and other due jobs of its queue go first.",
        WaitingReason.NO_RECENT_STARTS: "It is due, and no job of its queue was started in the "
        f"last {LATELY.seconds // 60} minutes.",
    },
)

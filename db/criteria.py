"""The filters of jobs and events, as plain data.

A field that is None sets no condition. db.queries.filters converts criteria to SQL.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NewType
from uuid import UUID

from db.health import HealthVerdict
from db.statuses import JobStatus

# The columns of `job` by the type of their conditions; JobCriteria has fields of the same names.
TEXT_COLUMNS = (
    "type",
    "queue",
    "requested_by",
    "idempotency_key",
    "last_error_code",
    "last_error_message",
    "worker",
    "batch",
    "external_id",
)
ID_COLUMNS = ("error_group", "parent_id", "source_id")
INT_COLUMNS = ("priority", "attempt")
TIME_COLUMNS = ("created_at", "updated_at", "scheduled_at", "started_at", "finished_at")


@dataclass(frozen=True, slots=True)
class TextCriteria:
    """Conditions on a text column, none of which has wildcards. The values of `in_` differ.

    `hides_credentials`: compare with the text after the credentials of its URLs are redacted.
    """

    eq: str | None = None
    in_: Sequence[str] | None = None
    not_in: Sequence[str] | None = None
    starts_with: str | None = None
    contains: str | None = None
    is_null: bool | None = None
    hides_credentials: bool = False
    contains_ignore_case: str | None = None


@dataclass(frozen=True, slots=True)
class IntCriteria:
    """Conditions on an integer column."""

    eq: int | None = None
    in_: Sequence[int] | None = None
    gte: int | None = None
    lte: int | None = None


@dataclass(frozen=True, slots=True)
class FloatCriteria:
    """Conditions on a number; `gte` is inclusive, `lt` exclusive."""

    gte: float | None = None
    lt: float | None = None


@dataclass(frozen=True, slots=True)
class TimeCriteria:
    """Conditions on a time column; `gte` is inclusive, `lt` exclusive."""

    gte: datetime | None = None
    lt: datetime | None = None
    is_null: bool | None = None


@dataclass(frozen=True, slots=True)
class JsonContainment:
    """A document that the column must contain, by PostgreSQL's operator `@>`."""

    document: Any


@dataclass(frozen=True, slots=True)
class Tags:
    """Tags that a job must have, all of them; there is at least one."""

    tags: Sequence[str]


# Where rows are in a table: their `ctid`, as PostgreSQL writes an array of them. They are those of
# one snapshot, so they are right only in the transaction that found them, if it is read-only.
Locations = NewType("Locations", str)


@dataclass(frozen=True, slots=True)
class MessagePart:
    """Text that an error message contains, ignoring case; `hides_credentials`: as TextCriteria.

    `among_messages`: jobs with it are common if they are so among those that have a message.
    """

    text: str
    hides_credentials: bool
    among_messages: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """All values that contain a searched text, and ids of all other jobs that match, and more.

    None where there are none.
    """

    ids: Sequence[UUID] | None = None
    type: Sequence[str] | None = None
    requested_by: Sequence[str] | None = None
    last_error_code: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class SearchCriteria:
    """Text that a part of a job must contain, ignoring case; or its id is among these.

    The idempotency key must begin with it, with the same case. `first_id` and `last_id`: the range
    of ids that begin with the text, if it is the beginning of an id. `hides_credentials`: as in
    TextCriteria. `skips_messages`: do not search error messages. `found`: what was found before, so
    that the jobs are read by indexes.
    """

    text: str
    first_id: UUID | None = None
    last_id: UUID | None = None
    hides_credentials: bool = False
    skips_messages: bool = False
    found: Found | None = None


@dataclass(frozen=True, slots=True)
class HealthCriteria:
    """The verdict on a job at `now` is one of these."""

    verdicts: Sequence[HealthVerdict]
    now: datetime


@dataclass(frozen=True, slots=True)
class JobCriteria:
    """Conditions on a job, all of which must hold; `and_`, `or_` and `not_` nest.

    `waiting_since` and `running_since` match queued (running) jobs whose wait (run) began before
    that time. `wait_seconds` and `run_seconds` match jobs whose wait (run) has ended. A job has all
    of the `tags`. A condition on a null column is false, and so its `not_` is true. `locations`: as
    `ids`, of all jobs that may match.
    """

    ids: Sequence[UUID] | None = None
    locations: Locations | None = None
    error_group: UUID | None = None
    health: HealthCriteria | None = None
    status: Sequence[JobStatus] | None = None
    type: TextCriteria | None = None
    queue: TextCriteria | None = None
    requested_by: TextCriteria | None = None
    idempotency_key: TextCriteria | None = None
    last_error_code: TextCriteria | None = None
    last_error_message: TextCriteria | None = None
    worker: TextCriteria | None = None
    batch: TextCriteria | None = None
    external_id: TextCriteria | None = None
    source_id: UUID | None = None
    priority: IntCriteria | None = None
    attempt: IntCriteria | None = None
    created_at: TimeCriteria | None = None
    updated_at: TimeCriteria | None = None
    scheduled_at: TimeCriteria | None = None
    started_at: TimeCriteria | None = None
    finished_at: TimeCriteria | None = None
    waiting_since: datetime | None = None
    running_since: datetime | None = None
    wait_seconds: FloatCriteria | None = None
    run_seconds: FloatCriteria | None = None
    payload_contains: JsonContainment | None = None
    search: SearchCriteria | None = None
    parent_id: UUID | None = None
    tags: Sequence[str] | None = None
    # Whether many of the newest jobs have the tags; None: that is not known.
    tags_are_common: bool | None = None
    and_: Sequence["JobCriteria"] | None = None
    or_: Sequence["JobCriteria"] | None = None
    not_: "JobCriteria | None" = None


@dataclass(frozen=True, slots=True)
class JobEventCriteria:
    """Conditions on an event, all of which must hold; `job` are those on its job."""

    job_ids: Sequence[UUID] | None = None
    next_status: Sequence[JobStatus] | None = None
    prev_status: Sequence[JobStatus] | None = None
    ts: TimeCriteria | None = None
    detail_contains: JsonContainment | None = None
    job: JobCriteria | None = None

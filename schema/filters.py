"""The filter and order inputs, and their conversion to the criteria of db."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import strawberry

from db.criteria import (
    INT_COLUMNS,
    TEXT_COLUMNS,
    TIME_COLUMNS,
    HealthCriteria,
    JobCriteria,
    JobEventCriteria,
    JsonContainment,
    SearchCriteria,
)
from db.health import STATUSES, HealthVerdict
from db.queries.keyset import JobOrderField
from db.statuses import JobStatus
from db.times import FIRST
from db.validation import json_fault
from resolvers.error_groups import check_shown
from resolvers.errors import BadUserInputError, ForbiddenError
from resolvers.ids import (
    MIN_ID_LENGTH,
    ids_starting_with,
    parse_error_group_id,
    parse_job_id,
    parse_job_ids,
    parse_source_id,
)
from resolvers.redaction import Redaction
from schema.comparisons import (
    DateTimeFilter,
    FloatFilter,
    IntFilter,
    StringFilter,
    checked,
    checked_text,
    checked_texts,
    condition,
    criteria_of,
    optional,
)
from schema.enums import OrderDirection
from schema.scalars import JSON

MAX_FILTERS = 500
MAX_FILTER_DEPTH = 50
_REQUIRES_ADMIN = "Filtering by it requires the role ADMIN."


@dataclass(slots=True)
class _FilterSize:
    """The number and depth of nested filters read so far, bounded by MAX_FILTERS and _DEPTH."""

    filters: int = 0
    depth: int = 0

    @contextmanager
    def nested(self) -> Iterator[None]:
        self.filters += 1
        self.depth += 1
        if self.filters > MAX_FILTERS or self.depth > MAX_FILTER_DEPTH:
            raise BadUserInputError(
                f"A filter may combine at most {MAX_FILTERS} others with 'and', 'or' and 'not', "
                f"nested at most {MAX_FILTER_DEPTH} deep."
            )
        yield
        self.depth -= 1


@strawberry.input(
    description="Conditions on jobs, combined with AND; one that is omitted or null is ignored. A "
    "job whose field is null matches only `isNull: true` and `notIn`. At most "
    f"{MAX_FILTERS} filters can be combined, nested at most {MAX_FILTER_DEPTH} deep."
)
class JobFilter:
    ids: list[strawberry.ID] | None = condition(
        "The id is one of these; an empty list matches nothing."
    )
    health: list[HealthVerdict] | None = condition(
        "The verdict of `Job.health` is one of these; an empty list matches nothing."
    )
    error_group: strawberry.ID | None = condition("The last error is of the group with this id.")
    status: list[JobStatus] | None = condition(
        "The status is one of these; an empty list matches nothing."
    )
    type: StringFilter | None = condition("The type of the job.")
    queue: StringFilter | None = condition("The queue of the job.")
    requested_by: StringFilter | None = condition("The requester of the job.")
    idempotency_key: StringFilter | None = condition("The idempotency key of the job.")
    last_error_code: StringFilter | None = condition("The code of the last error.")
    last_error_message: StringFilter | None = condition("The message of the last error.")
    worker: StringFilter | None = condition("The worker that runs the job, or ran it last.")
    batch: StringFilter | None = condition("The batch of the job.")
    external_id: StringFilter | None = condition("What the source calls the job.")
    source: strawberry.ID | None = condition("The job is of the source with this id.")
    tags: list[str] | None = condition(
        "The job has all of these tags; an empty list matches every job."
    )
    parent_id: strawberry.ID | None = condition("The job is a child of the job with this id.")
    priority: IntFilter | None = condition("The priority of the job.")
    attempt: IntFilter | None = condition("The number of times the job was started.")
    created_at: DateTimeFilter | None = condition("When the job was created.")
    updated_at: DateTimeFilter | None = condition("When the job last changed.")
    scheduled_at: DateTimeFilter | None = condition("The earliest time the job may be started.")
    started_at: DateTimeFilter | None = condition("When the last run started.")
    finished_at: DateTimeFilter | None = condition("When the last run ended.")
    waiting_longer_than: float | None = condition(
        "The job is QUEUED and has been due for more than this number of seconds."
    )
    running_longer_than: float | None = condition(
        "The job is RUNNING and started more than this number of seconds ago."
    )
    wait_seconds: FloatFilter | None = condition(
        "`Job.waitSeconds` of jobs whose wait has ended: they were started, and are not QUEUED."
    )
    run_seconds: FloatFilter | None = condition(
        "`Job.runSeconds` of jobs whose run has ended: they were started, and are terminal."
    )
    search: str | None = condition(
        "The type, requester, or last error code or message contains this text, ignoring case as "
        "`StringFilter.containsIgnoreCase` does; or the idempotency key begins with it, with the "
        f"same case; or the id begins with it, if it has at least {MIN_ID_LENGTH} characters. For "
        "viewers without the role ADMIN, the message is searched as it is shown."
    )
    payload_contains: JSON | None = condition(
        "The payload contains this value, as PostgreSQL's jsonb containment (`@>`) defines it: an "
        "object has all given keys with values that contain the given ones, a list has all given "
        "items."
    )
    and_: list["JobFilter"] | None = condition("Matches all of these filters.", "and")
    or_: list["JobFilter"] | None = condition(
        "Matches at least one of these filters; an empty list matches nothing.", "or"
    )
    not_: "JobFilter | None" = condition("Does not match this filter.", "not")

    def criteria(
        self, now: datetime, redaction: Redaction | None, size: _FilterSize | None = None
    ) -> JobCriteria:
        """Convert the input to criteria.

        `now`: the time that conditions on ages refer to. `redaction`: what is redacted for the
        viewer, or None. `size`: the part of the whole filter that has been read. Raises
        BadUserInputError for invalid values, ForbiddenError for conditions on redacted values.
        """
        size = size or _FilterSize()
        with size.nested():
            and_, or_, not_ = optional(self.and_), optional(self.or_), optional(self.not_)
            return replace(
                self._own_criteria(now, redaction),
                and_=None
                if and_ is None
                else [each.criteria(now, redaction, size) for each in and_],
                or_=None if or_ is None else [each.criteria(now, redaction, size) for each in or_],
                not_=None if not_ is None else not_.criteria(now, redaction, size),
            )

    def _own_criteria(self, now: datetime, redaction: Redaction | None) -> JobCriteria:
        criteria = JobCriteria(
            ids=_ids(self.ids),
            error_group=_error_group(self.error_group, redaction),
            health=_health(self.health, now),
            status=_statuses(self.status, self.health),
            **{
                name: criteria_of(getattr(self, name))
                for name in (*TEXT_COLUMNS, *INT_COLUMNS, *TIME_COLUMNS)
            },
            waiting_since=_ago(now, self.waiting_longer_than, "waitingLongerThan"),
            running_since=_ago(now, self.running_longer_than, "runningLongerThan"),
            wait_seconds=criteria_of(self.wait_seconds),
            run_seconds=criteria_of(self.run_seconds),
            payload_contains=_containment("payloadContains", self.payload_contains, redaction),
            search=_search(self.search, redaction),
            parent_id=_id(self.parent_id),
            source_id=_source(self.source),
            tags=checked_texts(self.tags),
        )
        message = criteria.last_error_message
        if message is None or redaction is None:
            return criteria
        if redaction.is_secret("last_error_message"):
            raise ForbiddenError(f"'lastErrorMessage' is redacted. {_REQUIRES_ADMIN}")
        return replace(criteria, last_error_message=replace(message, hides_credentials=True))


@strawberry.input(
    description="Conditions on events, combined with AND; one that is omitted or null is ignored."
)
class JobEventFilter:
    job_ids: list[strawberry.ID] | None = condition(
        "The event belongs to one of these jobs; an empty list matches nothing."
    )
    next_status: list[JobStatus] | None = condition("The status after the event is one of these.")
    prev_status: list[JobStatus] | None = condition("The status before the event is one of these.")
    ts: DateTimeFilter | None = condition("When the event happened.")
    detail_contains: JSON | None = condition(
        "The detail contains this value, as in `JobFilter.payloadContains`."
    )
    job: JobFilter | None = condition("The event belongs to a job that matches this filter.")

    def criteria(self, now: datetime, redaction: Redaction | None) -> JobEventCriteria:
        """Convert the input to criteria; see JobFilter.criteria."""
        job = optional(self.job)
        return JobEventCriteria(
            job_ids=_ids(self.job_ids),
            next_status=optional(self.next_status),
            prev_status=optional(self.prev_status),
            ts=criteria_of(self.ts),
            detail_contains=_containment("detailContains", self.detail_contains, redaction),
            job=None if job is None else job.criteria(now, redaction),
        )


@strawberry.input(description="The sort order of a list of jobs.")
class JobOrder:
    field: JobOrderField = strawberry.field(
        default=JobOrderField.CREATED_AT, description="The field to sort by."
    )
    direction: OrderDirection = strawberry.field(
        default=OrderDirection.DESC, description="The sort direction."
    )


def _search(text: str | None, redaction: Redaction | None) -> SearchCriteria | None:
    given = checked_text(text)
    if given is None:
        return None
    first, last = ids_starting_with(given) or (None, None)
    return SearchCriteria(
        given,
        first,
        last,
        hides_credentials=redaction is not None,
        skips_messages=redaction is not None and redaction.is_secret("last_error_message"),
    )


def _health(verdicts: list[HealthVerdict] | None, now: datetime) -> HealthCriteria | None:
    given = optional(verdicts)
    return None if given is None else HealthCriteria(given, now)


def _statuses(
    statuses: list[JobStatus] | None, verdicts: list[HealthVerdict] | None
) -> list[JobStatus] | None:
    """Return the statuses that jobs with these verdicts may have, of those that are given."""
    given, of_verdicts = optional(statuses), optional(verdicts)
    if of_verdicts is None:
        return given
    possible = frozenset[JobStatus]().union(*(STATUSES[each] for each in of_verdicts))
    return [each for each in (JobStatus if given is None else given) if each in possible]


def _error_group(text: strawberry.ID | None, redaction: Redaction | None) -> UUID | None:
    given = optional(text)
    if given is None:
        return None
    check_shown(redaction)
    return parse_error_group_id(given)


def _id(id_: strawberry.ID | None) -> UUID | None:
    given = optional(id_)
    return None if given is None else parse_job_id(given)


def _ids(ids: Sequence[strawberry.ID] | None) -> list[UUID] | None:
    given = optional(ids)
    return None if given is None else parse_job_ids(given)


def _source(source: str | None) -> UUID | None:
    given = optional(source)
    return None if given is None else parse_source_id(given)


def _containment(
    name: str, document: object, redaction: Redaction | None
) -> JsonContainment | None:
    given = optional(document)
    if given is None:
        return None
    checked(given, json_fault(given))
    # Containment compares a value only under the keys that lead to it, so that a document without
    # secret keys cannot reveal a secret.
    if redaction is not None and redaction.affects(given):
        raise ForbiddenError(
            f"'{name}' has a key or a URL whose value is redacted. {_REQUIRES_ADMIN}"
        )
    return JsonContainment(given)


def _ago(now: datetime, seconds: float | None, name: str) -> datetime | None:
    given = optional(seconds)
    if given is None:
        return None
    if given < 0:
        raise BadUserInputError(f"'{name}' must not be negative.")
    try:
        return now - timedelta(seconds=given)
    except OverflowError:
        # Before the first time that can be stored: no job is older.
        return FIRST

"""The filter and order inputs, and their conversion to the criteria of db."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import strawberry
from strawberry import UNSET

from db.criteria import (
    INT_COLUMNS,
    TEXT_COLUMNS,
    TIME_COLUMNS,
    IntCriteria,
    JobCriteria,
    JobEventCriteria,
    JsonContainment,
    TextCriteria,
    TimeCriteria,
)
from db.queries.keyset import JobOrderField
from db.statuses import JobStatus
from db.times import FIRST
from db.validation import json_fault, text_fault
from resolvers.errors import BadUserInputError, ForbiddenError
from resolvers.ids import parse_job_ids
from resolvers.redaction import Redaction
from schema.enums import OrderDirection
from schema.scalars import JSON

T = TypeVar("T")

MAX_FILTERS = 500
MAX_FILTER_DEPTH = 50
_REQUIRES_ADMIN = "Filtering by it requires the role ADMIN."


def _condition(description: str, name: str | None = None) -> Any:
    return strawberry.field(default=UNSET, name=name, description=description)


def _optional(value: T | None) -> T | None:
    """Return None for an omitted value: like null, it sets no condition."""
    return None if value is UNSET else value


@strawberry.input(
    description="Conditions on text, combined with AND. Comparisons are case-sensitive."
)
class StringFilter:
    eq: str | None = _condition("Equal to this value.")
    in_: list[str] | None = _condition("One of these values; an empty list matches nothing.", "in")
    not_in: list[str] | None = _condition("None of these values. Null matches.")
    starts_with: str | None = _condition("Starts with this text, which has no wildcards.")
    contains: str | None = _condition("Contains this text, which has no wildcards.")
    is_null: bool | None = _condition("True: null. False: not null.")

    def criteria(self) -> TextCriteria:
        return TextCriteria(
            eq=_text(self.eq),
            in_=_texts(self.in_),
            not_in=_texts(self.not_in),
            starts_with=_text(self.starts_with),
            contains=_text(self.contains),
            is_null=_optional(self.is_null),
        )


@strawberry.input(description="Conditions on an integer, combined with AND.")
class IntFilter:
    eq: int | None = _condition("Equal to this value.")
    in_: list[int] | None = _condition("One of these values; an empty list matches nothing.", "in")
    gte: int | None = _condition("Greater than or equal to this value.")
    lte: int | None = _condition("Less than or equal to this value.")

    def criteria(self) -> IntCriteria:
        return IntCriteria(
            eq=_optional(self.eq),
            in_=_optional(self.in_),
            gte=_optional(self.gte),
            lte=_optional(self.lte),
        )


@strawberry.input(description="Conditions on a time, combined with AND.")
class DateTimeFilter:
    gte: datetime | None = _condition("At or after this time.")
    lt: datetime | None = _condition("Before this time.")
    is_null: bool | None = _condition("True: null. False: not null.")

    def criteria(self) -> TimeCriteria:
        return TimeCriteria(
            gte=_optional(self.gte), lt=_optional(self.lt), is_null=_optional(self.is_null)
        )


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
    ids: list[strawberry.ID] | None = _condition(
        "The id is one of these; an empty list matches nothing."
    )
    status: list[JobStatus] | None = _condition(
        "The status is one of these; an empty list matches nothing."
    )
    type: StringFilter | None = _condition("The type of the job.")
    queue: StringFilter | None = _condition("The queue of the job.")
    requested_by: StringFilter | None = _condition("The requester of the job.")
    idempotency_key: StringFilter | None = _condition("The idempotency key of the job.")
    last_error_code: StringFilter | None = _condition("The code of the last error.")
    last_error_message: StringFilter | None = _condition("The message of the last error.")
    priority: IntFilter | None = _condition("The priority of the job.")
    attempt: IntFilter | None = _condition("The number of times the job was started.")
    created_at: DateTimeFilter | None = _condition("When the job was created.")
    updated_at: DateTimeFilter | None = _condition("When the job last changed.")
    scheduled_at: DateTimeFilter | None = _condition("The earliest time the job may be started.")
    started_at: DateTimeFilter | None = _condition("When the last run started.")
    finished_at: DateTimeFilter | None = _condition("When the last run ended.")
    waiting_longer_than: float | None = _condition(
        "The job is QUEUED and has been due for more than this number of seconds."
    )
    running_longer_than: float | None = _condition(
        "The job is RUNNING and started more than this number of seconds ago."
    )
    payload_contains: JSON | None = _condition(
        "The payload contains this value, as PostgreSQL's jsonb containment (`@>`) defines it: an "
        "object has all given keys with values that contain the given ones, a list has all given "
        "items."
    )
    and_: list["JobFilter"] | None = _condition("Matches all of these filters.", "and")
    or_: list["JobFilter"] | None = _condition(
        "Matches at least one of these filters; an empty list matches nothing.", "or"
    )
    not_: "JobFilter | None" = _condition("Does not match this filter.", "not")

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
            and_, or_, not_ = _optional(self.and_), _optional(self.or_), _optional(self.not_)
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
            status=_optional(self.status),
            **{
                name: _criteria(getattr(self, name))
                for name in (*TEXT_COLUMNS, *INT_COLUMNS, *TIME_COLUMNS)
            },
            waiting_since=_ago(now, self.waiting_longer_than, "waitingLongerThan"),
            running_since=_ago(now, self.running_longer_than, "runningLongerThan"),
            payload_contains=_containment("payloadContains", self.payload_contains, redaction),
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
    job_ids: list[strawberry.ID] | None = _condition(
        "The event belongs to one of these jobs; an empty list matches nothing."
    )
    next_status: list[JobStatus] | None = _condition("The status after the event is one of these.")
    prev_status: list[JobStatus] | None = _condition("The status before the event is one of these.")
    ts: DateTimeFilter | None = _condition("When the event happened.")
    detail_contains: JSON | None = _condition(
        "The detail contains this value, as in `JobFilter.payloadContains`."
    )
    job: JobFilter | None = _condition("The event belongs to a job that matches this filter.")

    def criteria(self, now: datetime, redaction: Redaction | None) -> JobEventCriteria:
        """Convert the input to criteria; see JobFilter.criteria."""
        job = _optional(self.job)
        return JobEventCriteria(
            job_ids=_ids(self.job_ids),
            next_status=_optional(self.next_status),
            prev_status=_optional(self.prev_status),
            ts=_criteria(self.ts),
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


def _criteria(condition: Any) -> Any:
    given = _optional(condition)
    return None if given is None else given.criteria()


def _checked(value: T, fault: str | None) -> T:
    if fault is not None:
        raise BadUserInputError(fault)
    return value


def _text(text: str | None) -> str | None:
    given = _optional(text)
    return None if given is None else _checked(given, text_fault(given))


def _texts(texts: Iterable[str] | None) -> list[str] | None:
    given = _optional(texts)
    return None if given is None else [_checked(text, text_fault(text)) for text in given]


def _ids(ids: Sequence[strawberry.ID] | None) -> list[UUID] | None:
    given = _optional(ids)
    return None if given is None else parse_job_ids(given)


def _containment(
    name: str, document: object, redaction: Redaction | None
) -> JsonContainment | None:
    given = _optional(document)
    if given is None:
        return None
    checked = _checked(given, json_fault(given))
    # Containment compares a value only under the keys that lead to it, so that a document without
    # secret keys cannot reveal a secret.
    if redaction is not None and redaction.affects(checked):
        raise ForbiddenError(
            f"'{name}' has a key or a URL whose value is redacted. {_REQUIRES_ADMIN}"
        )
    return JsonContainment(checked)


def _ago(now: datetime, seconds: float | None, name: str) -> datetime | None:
    given = _optional(seconds)
    if given is None:
        return None
    if given < 0:
        raise BadUserInputError(f"'{name}' must not be negative.")
    try:
        return now - timedelta(seconds=given)
    except OverflowError:
        # Before the first time that can be stored: no job is older.
        return FIRST

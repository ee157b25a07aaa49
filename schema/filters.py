"""The filter and order inputs, and how they become criteria."""

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
_ADMINS = "To filter by it needs the role ADMIN."


def _condition(description: str, name: str | None = None) -> Any:
    return strawberry.field(default=UNSET, name=name, description=description)


def _given(value: T | None) -> T | None:
    """Take what was left out for null: both set no condition."""
    return None if value is UNSET else value


@strawberry.input(description="Conditions on text. All that are given must hold. Case matters.")
class StringFilter:
    eq: str | None = _condition("It is exactly this.")
    in_: list[str] | None = _condition("It is one of these; an empty list matches nothing.", "in")
    not_in: list[str] | None = _condition("It is none of these; null is none of them.")
    starts_with: str | None = _condition("It starts with this, taken literally.")
    contains: str | None = _condition("It contains this, taken literally.")
    is_null: bool | None = _condition("Whether it is null.")

    def criteria(self) -> TextCriteria:
        return TextCriteria(
            eq=_text(self.eq),
            in_=_texts(self.in_),
            not_in=_texts(self.not_in),
            starts_with=_text(self.starts_with),
            contains=_text(self.contains),
            is_null=_given(self.is_null),
        )


@strawberry.input(description="Conditions on a whole number. All that are given must hold.")
class IntFilter:
    eq: int | None = _condition("It is exactly this.")
    in_: list[int] | None = _condition("It is one of these; an empty list matches nothing.", "in")
    gte: int | None = _condition("It is this or more.")
    lte: int | None = _condition("It is this or less.")

    def criteria(self) -> IntCriteria:
        return IntCriteria(
            eq=_given(self.eq), in_=_given(self.in_), gte=_given(self.gte), lte=_given(self.lte)
        )


@strawberry.input(description="Conditions on a time: a half-open range. All given must hold.")
class DateTimeFilter:
    gte: datetime | None = _condition("It is this or later.")
    lt: datetime | None = _condition("It is before this.")
    is_null: bool | None = _condition("Whether it is null.")

    def criteria(self) -> TimeCriteria:
        return TimeCriteria(gte=_given(self.gte), lt=_given(self.lt), is_null=_given(self.is_null))


@dataclass(slots=True)
class _Size:
    """How much of a filter has been read: what is past reason is refused, not run."""

    filters: int = 0
    depth: int = 0

    @contextmanager
    def one_more(self) -> Iterator[None]:
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
    description="Which jobs. All conditions that are given must hold; one that is left out or null "
    "sets none. What is null fulfils no condition but `isNull: true` and `notIn`. At most "
    f"{MAX_FILTERS} filters may be combined, nested at most {MAX_FILTER_DEPTH} deep."
)
class JobFilter:
    ids: list[strawberry.ID] | None = _condition("It is one of these; an empty list: nothing.")
    status: list[JobStatus] | None = _condition("It has one of these; an empty list: nothing.")
    type: StringFilter | None = _condition("Its type.")
    queue: StringFilter | None = _condition("Its queue.")
    requested_by: StringFilter | None = _condition("Who asked for it.")
    idempotency_key: StringFilter | None = _condition("Its idempotency key.")
    last_error_code: StringFilter | None = _condition("The code of its last error.")
    last_error_message: StringFilter | None = _condition("Its last error, in words.")
    priority: IntFilter | None = _condition("How urgent it is.")
    attempt: IntFilter | None = _condition("How many times it was started.")
    created_at: DateTimeFilter | None = _condition("When it was created.")
    updated_at: DateTimeFilter | None = _condition("When it last changed.")
    scheduled_at: DateTimeFilter | None = _condition("When it is to be started at the earliest.")
    started_at: DateTimeFilter | None = _condition("When its last run started.")
    finished_at: DateTimeFilter | None = _condition("When its last run ended.")
    waiting_longer_than: float | None = _condition(
        "It is QUEUED and has waited for more than so many seconds since it was due."
    )
    running_longer_than: float | None = _condition(
        "It is RUNNING and started more than so many seconds ago."
    )
    payload_contains: JSON | None = _condition(
        "Its payload contains this, in the sense of PostgreSQL's jsonb containment: an object "
        "contains all given keys with values that contain the given ones, a list all given items."
    )
    and_: list["JobFilter"] | None = _condition("It meets all of these.", "and")
    or_: list["JobFilter"] | None = _condition(
        "It meets at least one of these; an empty list matches nothing.", "or"
    )
    not_: "JobFilter | None" = _condition("It does not meet this.", "not")

    def criteria(
        self, now: datetime, hiding: Redaction | None, size: _Size | None = None
    ) -> JobCriteria:
        """Turn the input into criteria; raise BadUserInputError for values that cannot be used.

        `hiding` is what the viewer may not see: raises ForbiddenError for a filter that would tell
        of it. `size` tells how much of a larger filter has been read.
        """
        size = size or _Size()
        with size.one_more():
            and_, or_, not_ = _given(self.and_), _given(self.or_), _given(self.not_)
            return replace(
                self._own_criteria(now, hiding),
                and_=None if and_ is None else [part.criteria(now, hiding, size) for part in and_],
                or_=None if or_ is None else [part.criteria(now, hiding, size) for part in or_],
                not_=None if not_ is None else not_.criteria(now, hiding, size),
            )

    def _own_criteria(self, now: datetime, hiding: Redaction | None) -> JobCriteria:
        criteria = JobCriteria(
            ids=_ids(self.ids),
            status=_given(self.status),
            **{
                name: _criteria(getattr(self, name))
                for name in (*TEXT_COLUMNS, *INT_COLUMNS, *TIME_COLUMNS)
            },
            waiting_since=_ago(now, self.waiting_longer_than, "waitingLongerThan"),
            running_since=_ago(now, self.running_longer_than, "runningLongerThan"),
            payload_contains=_containment("payloadContains", self.payload_contains, hiding),
        )
        message = criteria.last_error_message
        if message is None or hiding is None:
            return criteria
        if hiding.is_secret("last_error_message"):
            raise ForbiddenError(f"'lastErrorMessage' is hidden. {_ADMINS}")
        return replace(criteria, last_error_message=replace(message, hides_credentials=True))


@strawberry.input(
    description="Which events. All conditions that are given must hold; one that is left out or "
    "null sets none."
)
class JobEventFilter:
    job_ids: list[strawberry.ID] | None = _condition(
        "It happened to one of these jobs; an empty list matches nothing."
    )
    next_status: list[JobStatus] | None = _condition("The status after it is one of these.")
    prev_status: list[JobStatus] | None = _condition("The status before it is one of these.")
    ts: DateTimeFilter | None = _condition("When it happened.")
    detail_contains: JSON | None = _condition(
        "Its detail contains this, in the sense of PostgreSQL's jsonb containment."
    )
    job: JobFilter | None = _condition("It happened to a job that meets this.")

    def criteria(self, now: datetime, hiding: Redaction | None) -> JobEventCriteria:
        """Turn the input into criteria, and raise, as JobFilter does."""
        job = _given(self.job)
        return JobEventCriteria(
            job_ids=_ids(self.job_ids),
            next_status=_given(self.next_status),
            prev_status=_given(self.prev_status),
            ts=_criteria(self.ts),
            detail_contains=_containment("detailContains", self.detail_contains, hiding),
            job=None if job is None else job.criteria(now, hiding),
        )


@strawberry.input(description="How a list of jobs is ordered.")
class JobOrder:
    field: JobOrderField = strawberry.field(
        default=JobOrderField.CREATED_AT, description="What it is ordered by."
    )
    direction: OrderDirection = strawberry.field(
        default=OrderDirection.DESC, description="Which way it runs."
    )


def _criteria(part: Any) -> Any:
    given = _given(part)
    return None if given is None else given.criteria()


def _sound(value: T, fault: str | None) -> T:
    if fault is not None:
        raise BadUserInputError(fault)
    return value


def _text(text: str | None) -> str | None:
    given = _given(text)
    return None if given is None else _sound(given, text_fault(given))


def _texts(texts: Iterable[str] | None) -> list[str] | None:
    given = _given(texts)
    return None if given is None else [_sound(text, text_fault(text)) for text in given]


def _ids(ids: Sequence[strawberry.ID] | None) -> list[UUID] | None:
    given = _given(ids)
    return None if given is None else parse_job_ids(given)


def _containment(name: str, document: object, hiding: Redaction | None) -> JsonContainment | None:
    given = _given(document)
    if given is None:
        return None
    sound = _sound(given, json_fault(given))
    # A value is compared only under the keys that lead to it: what names none cannot probe.
    if hiding is not None and hiding.touches(sound):
        raise ForbiddenError(f"'{name}' has a key or a URL whose value is hidden. {_ADMINS}")
    return JsonContainment(sound)


def _ago(now: datetime, seconds: float | None, name: str) -> datetime | None:
    given = _given(seconds)
    if given is None:
        return None
    if given < 0:
        raise BadUserInputError(f"'{name}' must not be negative.")
    try:
        return now - timedelta(seconds=given)
    except OverflowError:
        # Longer ago than time itself: nothing can be older.
        return FIRST

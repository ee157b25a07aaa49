"""Converts criteria to SQL conditions, for lists, counts, groups and the timeline alike.

No condition is null, so that `not_` is an exact complement: a job without `requested_by` is among
those not requested by X.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Double,
    Integer,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB

from db.criteria import (
    ID_COLUMNS,
    INT_COLUMNS,
    TEXT_COLUMNS,
    TIME_COLUMNS,
    FloatCriteria,
    Found,
    IntCriteria,
    JobCriteria,
    JobEventCriteria,
    JsonContainment,
    SearchCriteria,
    TextCriteria,
    TimeCriteria,
)
from db.limits import MAX_NAME_LENGTH
from db.queries.durations import (
    ended_run_seconds,
    ended_wait_seconds,
    run_has_ended,
    wait_has_ended,
)
from db.queries.health import verdict_is_any
from db.queries.locations import are_at
from db.statuses import JobStatus
from db.tables import future_if_null, job_event_table, job_table
from db.templates import Slot
from db.url_credentials import without_credentials

Condition = ColumnElement[bool]

job = job_table.c
event = job_event_table.c
# Their indexes find a value by its beginning.
BY_PREFIX = frozenset(
    {"requested_by", "last_error_code", "idempotency_key", "worker", "batch", "external_id"}
)
MAX_CODE_POINT = 0x10FFFF


def job_conditions(org_id: UUID, criteria: JobCriteria | None) -> Condition:
    """Match the rows of `job` that belong to the organisation and meet the criteria."""
    return and_(job.org_id == org_id, *_job_conditions(org_id, criteria or JobCriteria()))


def event_conditions(org_id: UUID, criteria: JobEventCriteria | None) -> Condition:
    """Match the rows of `job_event` that belong to the organisation and meet the criteria."""
    return and_(event.org_id == org_id, *_event_conditions(org_id, criteria or JobEventCriteria()))


def of_jobs(org_id: UUID, criteria: JobCriteria) -> Condition:
    """Match the rows of `job_event` whose job meets the criteria."""
    return exists().where(job_conditions(org_id, criteria), job.id == event.job_id)


def _job_conditions(org_id: UUID, criteria: JobCriteria) -> Iterator[Condition]:
    yield from _identified(criteria)
    for name in ID_COLUMNS:
        if (wanted := getattr(criteria, name)) is not None:
            yield _known(job_table.c[name], job_table.c[name] == wanted)
    if criteria.health is not None:
        yield verdict_is_any(org_id, criteria.health.verdicts, criteria.health.now)
    yield from status_conditions(job.status, criteria.status)
    for name in TEXT_COLUMNS:
        yield from text_conditions(job_table.c[name], getattr(criteria, name))
    for name in INT_COLUMNS:
        yield from _int(job_table.c[name], getattr(criteria, name))
    for name in TIME_COLUMNS:
        yield from _time(job_table.c[name], getattr(criteria, name))
    if criteria.waiting_since is not None:
        yield from status_conditions(job.status, [JobStatus.QUEUED])
        # greatest() ignores nulls.
        yield func.greatest(job.queued_at, job.scheduled_at) < criteria.waiting_since
    if criteria.running_since is not None:
        yield from status_conditions(job.status, [JobStatus.RUNNING])
        yield _known(job.started_at, job.started_at < criteria.running_since)
    yield from _float(wait_has_ended, ended_wait_seconds(), criteria.wait_seconds)
    yield from _float(run_has_ended, ended_run_seconds(), criteria.run_seconds)
    yield from _contains(job.payload, criteria.payload_contains)
    yield from _search(criteria.search)
    yield from has_tags(criteria.tags, are_common=bool(criteria.tags_are_common))
    yield from _combined(org_id, criteria)


def _identified(criteria: JobCriteria) -> Iterator[Condition]:
    if criteria.ids is not None:
        yield is_any(job.id, criteria.ids, Uuid())
    if criteria.locations is not None:
        yield are_at(criteria.locations)


def _combined(org_id: UUID, criteria: JobCriteria) -> Iterator[Condition]:
    if criteria.and_ is not None:
        yield from (_all(org_id, each) for each in criteria.and_)
    if criteria.or_ is not None:
        yield or_(false(), *(_all(org_id, each) for each in criteria.or_))
    if criteria.not_ is not None:
        yield not_(_all(org_id, criteria.not_))


def _all(org_id: UUID, criteria: JobCriteria) -> Condition:
    return and_(true(), *_job_conditions(org_id, criteria))


def _event_conditions(org_id: UUID, criteria: JobEventCriteria) -> Iterator[Condition]:
    if criteria.job_ids is not None:
        yield is_any(event.job_id, criteria.job_ids, Uuid())
    yield from status_conditions(event.next_status, criteria.next_status)
    yield from status_conditions(event.prev_status, criteria.prev_status)
    yield from _time(event.ts, criteria.ts)
    yield from _contains(event.detail, criteria.detail_contains)
    if criteria.job is not None:
        if criteria.job.ids is not None:
            yield is_any(event.job_id, criteria.job.ids, Uuid())
        yield of_jobs(org_id, criteria.job)


def _known(column: Column[Any], condition: Condition) -> Condition:
    """Make the condition false, instead of null, where the column is null."""
    return and_(column.is_not(None), condition) if column.nullable else condition


def is_any(column: ColumnElement[Any], values: Sequence[Any] | Slot, type_: Any) -> Condition:
    """Match a column that is one of the values; without values nothing matches."""
    # One array parameter keeps the statement, and so its cached plan, the same for any number.
    return column == any_(literal(values, ARRAY(type_)))


def status_conditions(
    column: Column[Any], statuses: Iterable[JobStatus] | None
) -> Iterator[Condition]:
    """Yield the conditions on a column of statuses."""
    if statuses is None:
        return
    # Literals, so that the planner knows the frequency of the status and can use partial indexes.
    # With six statuses there are few distinct statements.
    values = sorted({status.value for status in statuses})
    if not values:
        yield false()
    elif len(values) == 1:
        yield _known(column, column == bindparam(None, values[0], Text(), literal_execute=True))
    else:
        bound = bindparam(None, values, Text(), expanding=True, literal_execute=True)
        yield _known(column, column.in_(bound))


def text_conditions(column: Column[Any], criteria: TextCriteria | None) -> Iterator[Condition]:
    """Yield the conditions on a text column."""
    if criteria is None:
        return
    text: ColumnElement[Any] = column
    if criteria.hides_credentials:
        text = without_credentials(column)
    elif column.name in BY_PREFIX and criteria.starts_with is not None:
        yield from prefix_range(column, criteria.starts_with)
    for condition in text_comparisons(text, criteria):
        yield _known(column, condition)
    if criteria.not_in is not None:
        yield not_(_known(column, is_any(text, criteria.not_in, Text())))
    if criteria.is_null is not None:
        yield column.is_(None) if criteria.is_null else column.is_not(None)


def text_comparisons(text: ColumnElement[Any], criteria: TextCriteria) -> Iterator[Condition]:
    """Yield the conditions that only a text can meet, without null or `not_in`."""
    if criteria.eq is not None:
        yield text == criteria.eq
    if criteria.in_ is not None:
        yield is_any(text, criteria.in_, Text())
    if criteria.starts_with is not None:
        yield func.starts_with(text, criteria.starts_with)
    if criteria.contains is not None:
        yield func.strpos(text, criteria.contains) > 0
    if criteria.contains_ignore_case is not None:
        yield _contains_ignore_case(text, criteria.contains_ignore_case)


def prefix_range(column: Column[Any], prefix: str) -> Iterator[Condition]:
    """Match the range of an index with text_pattern_ops that has the names with this prefix.

    Explicit, because a plan for all parameters cannot derive it from starts_with().
    """
    first = literal(prefix, Text())
    last = func.textcat(first, func.repeat(func.chr(MAX_CODE_POINT), MAX_NAME_LENGTH))
    yield _known(column, column.bool_op("~>=~")(first))
    yield _known(column, column.bool_op("~<=~")(last))


def _contains_ignore_case(text: ColumnElement[Any], part: str) -> Condition:
    # Both by PostgreSQL, whose rules differ from Python's for some letters.
    return func.strpos(func.lower(text), func.lower(literal(part, Text()))) > 0


def _search(criteria: SearchCriteria | None) -> Iterator[Condition]:
    if criteria is None:
        return
    columns = [job.type, job.requested_by, job.last_error_code]
    parts = [_known(column, _contains_ignore_case(column, criteria.text)) for column in columns]
    parts.append(begins_with(job.idempotency_key, criteria.text))
    if not criteria.skips_messages:
        message = job.last_error_message
        shown = without_credentials(message) if criteria.hides_credentials else message
        parts.append(_known(message, _contains_ignore_case(shown, criteria.text)))
    if criteria.first_id is not None and criteria.last_id is not None:
        parts.append(and_(job.id >= criteria.first_id, job.id <= criteria.last_id))
    yield or_(*parts)
    if criteria.found is not None:
        yield or_(false(), *_found(criteria.found))


def _found(found: Found) -> Iterator[Condition]:
    if found.ids is not None:
        yield is_any(job.id, found.ids, Uuid())
    for column in (job.type, job.requested_by, job.last_error_code):
        values = getattr(found, column.name)
        if values is not None:
            yield _known(column, is_any(column, values, Text()))


def begins_with(column: Column[Any], prefix: str) -> Condition:
    """Match the names with this prefix in a column whose index finds them."""
    return and_(*prefix_range(column, prefix), _known(column, func.starts_with(column, prefix)))


def _float(
    has_ended: Condition, seconds: ColumnElement[Any], criteria: FloatCriteria | None
) -> Iterator[Condition]:
    if criteria is None:
        return
    if criteria.gte is not None:
        yield and_(has_ended, seconds >= literal(criteria.gte, Double()))
    if criteria.lt is not None:
        yield and_(has_ended, seconds < literal(criteria.lt, Double()))


def _int(column: Column[Any], criteria: IntCriteria | None) -> Iterator[Condition]:
    if criteria is None:
        return
    if criteria.eq is not None:
        yield column == criteria.eq
    if criteria.in_ is not None:
        yield is_any(column, criteria.in_, Integer())
    if criteria.gte is not None:
        yield column >= criteria.gte
    if criteria.lte is not None:
        yield column <= criteria.lte


def _time(column: Column[Any], criteria: TimeCriteria | None) -> Iterator[Condition]:
    if criteria is None:
        return
    # The expression of the order, which has an index.
    time = future_if_null(column.name) if column.table is job_table and column.nullable else column
    if criteria.gte is not None:
        yield _known(column, time >= criteria.gte)
    if criteria.lt is not None:
        yield _known(column, time < criteria.lt)
    if criteria.is_null is not None:
        yield column.is_(None) if criteria.is_null else column.is_not(None)


def has_tags(tags: Sequence[str] | None, *, are_common: bool = False) -> Iterator[Condition]:
    """Match the jobs that have all of these tags; without tags, every job."""
    if not tags:
        return
    has_all = job.tags.contains(literal(tags, JSONB()))
    # PostgreSQL takes them for rare, and reads all jobs that have any tags; but half of them meet a
    # coalesce(), as it reckons.
    yield _known(job.tags, func.coalesce(has_all, false()) if are_common else has_all)


def _contains(column: Column[Any], containment: JsonContainment | None) -> Iterator[Condition]:
    if containment is not None:
        document = literal(containment.document, JSONB(none_as_null=False))
        yield _known(column, column.contains(document))

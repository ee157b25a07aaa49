"""The UPDATE of a change of status, for one transition of all jobs or one for each."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ClauseElement,
    ColumnElement,
    DateTime,
    Double,
    Integer,
    Interval,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    column,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.sql.selectable import Subquery

from db.backoff import Backoff
from db.commands.events import InOne, change_time, from_json_text, with_events
from db.criteria import JobCriteria
from db.limits import MAX_INT32
from db.queries.filters import is_any, job_conditions
from db.statuses import BackoffPolicy, JobStatus
from db.tables import Timestamp, job_table
from db.templates import Constant

job = job_table.c

_UTC: ColumnElement[str] = literal_column("'UTC'", Text())

Elements = Mapping[str, ColumnElement[Any]]

# The types of the fields of Given.
_TYPES: Mapping[str, Any] = {
    "attempt": Integer(),
    "result": Text(),
    "error_code": Text(),
    "error_message": Text(),
    "error_group": Uuid(),
    "detail": Text(),
    "jitter": Double(),
    "worker": Text(),
}


@dataclass(frozen=True, slots=True)
class Shape(Constant):
    """What a statement is built for. `sources`: the statuses that it may change."""

    to: JobStatus
    sources: frozenset[JobStatus]
    by_operator: bool

    @property
    def ends(self) -> bool:
        """Whether the run ends, or what was not started."""
        return self.to.is_terminal

    @property
    def waits(self) -> bool:
        """Whether a job that failed is due only after its backoff."""
        return self.to is JobStatus.QUEUED and not self.by_operator


@dataclass(frozen=True, slots=True)
class Given:
    """The values of one transition, or lists of those of several; JSON is text.

    None: not given, by none of the transitions.
    """

    attempt: Any = None
    result: Any = None
    error_code: Any = None
    error_message: Any = None
    error_group: Any = None
    detail: Any = None
    jitter: Any = None
    worker: Any = None


def change_all(
    in_one: InOne,
    org_id: UUID,
    job_ids: Sequence[UUID],
    shape: Shape,
    given: Given,
    now: datetime,
    seconds: tuple[float, ...],
    criteria: JobCriteria | None,
    skip_locked: bool,
    columns: Collection[str],
) -> ClauseElement:
    """Build the change of all jobs by the same transition."""
    values = {name: literal(value, _TYPES[name]) for name, value in _given(given)}
    before = (
        select(job.id, job.status)
        .where(
            job_conditions(org_id, criteria),
            is_any(job.id, job_ids, Uuid()),
            _guard(shape, values.get("attempt")),
        )
        .order_by(job.id)
        .with_for_update(skip_locked=skip_locked)
        .subquery("before")
    )
    return _change(in_one, org_id, before, shape, values, now, seconds, columns)


def change_each(
    in_one: InOne,
    org_id: UUID,
    job_ids: Sequence[UUID],
    shape: Shape,
    given: Given,
    now: datetime,
    seconds: tuple[float, ...],
    columns: Collection[str],
) -> ClauseElement:
    """Build the change of each job by a transition of its own. The jobs are locked, and differ."""
    lists = {"id": literal(job_ids, ARRAY(Uuid()))} | {
        name: literal(values, ARRAY(_TYPES[name])) for name, values in _given(given)
    }
    item = (
        func.unnest(*lists.values())
        .table_valued(*(column(name, _TYPES.get(name, Uuid())) for name in lists), name="item")
        .render_derived()
    )
    own = [item.c[name] for name in lists if name != "id"]
    before = (
        select(job.id, job.status, *own)
        .join_from(job_table, item, job.id == item.c.id)
        .where(job.org_id == org_id, _guard(shape, item.c.get("attempt")))
        .subquery("before")
    )
    values = {name: before.c[name] for name in lists if name != "id"}
    return _change(in_one, org_id, before, shape, values, now, seconds, columns)


def lock(org_id: UUID, job_ids: Sequence[UUID]) -> Select[*tuple[Any, ...]]:
    """Build the locking of jobs, in the order of their ids."""
    statement = select(job.id).where(job.org_id == org_id, is_any(job.id, job_ids, Uuid()))
    return statement.order_by(job.id).with_for_update()


def seconds_of(backoff: Backoff, shape: Shape) -> tuple[float, ...]:
    """Return the seconds of the backoff if the change needs them."""
    return (backoff.base_seconds, backoff.cap_seconds) if shape.waits else ()


def _given(given: Given) -> list[tuple[str, Any]]:
    each = ((name, getattr(given, name)) for name in _TYPES)
    return [(name, value) for name, value in each if value is not None]


def _change(
    in_one: InOne,
    org_id: UUID,
    before: Subquery,
    shape: Shape,
    values: Elements,
    now: datetime,
    seconds: tuple[float, ...],
    columns: Collection[str],
) -> ClauseElement:
    change = (
        update(job_table)
        .where(job.org_id == org_id, job.id == before.c.id)
        .values(_values(shape, values, change_time(now), seconds))
    )
    detail = values.get("detail", null())
    return with_events(
        change, before.c.status, columns, in_one=in_one, org_id=org_id, detail=detail
    )


def _guard(shape: Shape, attempt: ColumnElement[int] | None) -> ColumnElement[bool]:
    # Jobs whose counters are at their maximum are skipped: they must not fail a bulk change.
    sources = [status.value for status in sorted(shape.sources)]
    known = bindparam(None, sources, Text(), expanding=True, literal_execute=True)
    legal = and_(job.status.in_(known), job.event_seq < MAX_INT32, job.source_id.is_(None))
    if attempt is not None:
        legal = and_(legal, job.attempt == attempt)
    if shape.to is JobStatus.RUNNING:
        return and_(legal, job.attempt < job.max_attempts)
    if shape.to is JobStatus.QUEUED:
        legal = and_(legal, job.attempt < MAX_INT32)
    if shape.waits:
        # Workers may requeue a running job at any time, but retry only while attempts are left.
        return and_(
            legal, or_(job.status == JobStatus.RUNNING.value, job.attempt < job.max_attempts)
        )
    return legal


def _values(
    shape: Shape, given: Elements, time: ColumnElement[datetime], seconds: tuple[float, ...]
) -> dict[str, Any]:
    values: dict[str, Any] = {
        "status": shape.to.value,
        "event_seq": job.event_seq + 1,
        "updated_at": time,
    }
    if shape.to is JobStatus.RUNNING:
        return values | {
            "attempt": job.attempt + 1,
            "started_at": time,
            "finished_at": None,
            "worker": given.get("worker", null()),
            **dict.fromkeys(("progress_fraction", "progress_step", "progress_at")),
        }
    if shape.to is JobStatus.QUEUED:
        return values | {
            "started_at": None,
            "finished_at": None,
            "queued_at": time,
            "scheduled_at": _due(time, seconds, given["jitter"]) if shape.waits else null(),
            # Allow one more start if the run was lost rather than failed.
            "max_attempts": func.greatest(job.max_attempts, job.attempt + 1),
        }
    # A job that had already ended keeps its end time.
    values["finished_at"] = func.coalesce(job.finished_at, time)
    if "result" in given:
        values["result"] = from_json_text(given["result"])
    if "error_code" in given or "error_message" in given:
        values["last_error_code"] = given.get("error_code", null())
        values["last_error_message"] = given.get("error_message", null())
        values["error_group"] = given.get("error_group", null())
    return values


def _due(
    time: ColumnElement[datetime], seconds: tuple[float, ...], jitter: ColumnElement[float]
) -> ColumnElement[Any]:
    """Return when the job is due: after its policy's wait if it failed, otherwise at once."""
    base: ColumnElement[float] = literal(seconds[0], Double())
    cap: ColumnElement[float] = literal(seconds[1], Double())
    doubled = base * func.power(
        cast(2, Double()), func.least(func.greatest(job.attempt - 1, 0), 60)
    )
    wait = case(
        (job.backoff_policy == BackoffPolicy.FIXED.value, base),
        (job.backoff_policy == BackoffPolicy.EXPONENTIAL.value, doubled),
    )
    delay = func.least(wait, cap) * jitter
    due = later(time, delay)
    failed = job.status == JobStatus.FAILED.value
    waits = job.backoff_policy != BackoffPolicy.NONE.value
    return case((and_(failed, waits), due))


def later(time: ColumnElement[datetime], seconds: ColumnElement[float]) -> ColumnElement[datetime]:
    """Return the time plus seconds, to the microsecond, as an immutable expression.

    Adding an interval to a time with a zone depends on the session's zone: Citus refuses it in
    CASE. Without a zone it does not.
    """
    interval = cast(func.make_interval(0, 0, 0, 0, 0, 0, seconds), Interval())
    in_utc = func.timezone(_UTC, time, type_=DateTime()) + interval
    return func.timezone(_UTC, in_utc, type_=Timestamp)

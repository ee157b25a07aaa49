"""How long jobs waited before a start, and ran before its end, in SQL over their events."""

from enum import IntEnum
from math import log
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Double,
    Integer,
    and_,
    case,
    cast,
    func,
    literal_column,
    null,
    or_,
    select,
)

from db.event_marks import is_inexact
from db.statuses import JobStatus
from db.tables import job_event_table, job_table
from db.tallies.sketches import GROWTH, ZERO

job = job_table.c

# The columns of `job_event`, under this or another name.
Columns = Any


class Kind(IntEnum):
    """What lasted: the WAIT before a start, or the RUN before its end."""

    WAIT = 0
    RUN = 1


def kind_of(event: Columns) -> ColumnElement[int | None]:
    """Return the kind of duration that an event ends; null for others."""
    queued, running = _status(JobStatus.QUEUED), _status(JobStatus.RUNNING)
    starts = and_(event.prev_status == queued, event.next_status == running)
    ends = and_(event.prev_status == running, event.next_status != running)
    return case((starts, _number(Kind.WAIT)), (ends, _number(Kind.RUN)))


def began_of(event: Columns, org_id: ColumnElement[UUID]) -> ColumnElement[Any]:
    """Return when the duration began that an event ends. The event's job must be joined.

    The latest wait began when the job was due. Of earlier ones that is not known any more: there,
    and in all other cases, it is the time of the previous change of status. Null if the run is one
    of a source that did not report its start.
    """
    is_wait = event.next_status == _status(JobStatus.RUNNING)
    is_latest_start = and_(is_wait, job.started_at == event.ts)
    is_latest_end = and_(~is_wait, job.finished_at == event.ts, job.started_at.is_not(None))
    return case(
        (and_(is_of_source(), is_wait, is_inexact(event.detail)), null()),
        (is_latest_start, func.greatest(job.queued_at, job.scheduled_at)),
        (is_latest_end, job.started_at),
        else_=_previous_change(event, org_id),
    )


def is_of_source() -> ColumnElement[bool]:
    """Return whether a source runs the job."""
    return job.source_id.is_not(None)


def seconds_between(
    began: ColumnElement[Any], ended: ColumnElement[Any], of_source: ColumnElement[bool]
) -> ColumnElement[float | None]:
    """Return the seconds of a duration, at least 0; null if one of its times is infinite.

    Null, too, if it is that of a job of a source and not longer than 0 s: what its facts do not
    report is inferred at the time of what follows.
    """
    # PostgreSQL before 17 cannot subtract infinity.
    is_finite = and_(func.isfinite(began), func.isfinite(ended))
    is_known = or_(~of_source, began < ended)
    elapsed: ColumnElement[Any] = cast(func.extract("epoch", ended - began), Double())
    return case((and_(is_finite, is_known), func.greatest(elapsed, _number(0))))


def bin_of(seconds: ColumnElement[Any]) -> ColumnElement[int]:
    """Return the bin of a duration in a sketch."""
    # There is no logarithm of zero: a case is evaluated up to its first match.
    number = func.ceil(func.ln(seconds) * literal_column(repr(1 / log(GROWTH))))
    is_zero = seconds < literal_column("0.000001")
    return cast(case((is_zero, _number(ZERO)), else_=number), Integer())


def _previous_change(event: Columns, org_id: ColumnElement[UUID]) -> ColumnElement[Any]:
    table = job_event_table.alias("earlier")
    earlier = table.c
    is_start = earlier.next_status == _status(JobStatus.RUNNING)
    # By its name: where the text of this is part of another statement, its job is not that of a
    # select around it, with which SQLAlchemy correlates.
    of_source = literal_column("job.source_id").is_not(None)
    began = case((and_(of_source, is_start, is_inexact(earlier.detail)), null()), else_=earlier.ts)
    statement = (
        select(began)
        .where(
            earlier.org_id == org_id,
            earlier.job_id == event.job_id,
            earlier.seq < event.seq,
            earlier.prev_status.is_distinct_from(earlier.next_status),
        )
        .order_by(earlier.seq.desc())
        .limit(_number(1))
        .correlate_except(table)
    )
    return statement.scalar_subquery()


def _status(status: JobStatus) -> ColumnElement[str]:
    return literal_column(f"'{status.value}'")


def _number(value: int) -> ColumnElement[int]:
    return literal_column(str(int(value)))

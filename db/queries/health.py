"""The rule of db.health in SQL, and what is usual for the types of an organisation."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from db.health import FLAPPING_ATTEMPTS, Figures, HealthVerdict, Usual
from db.queries.rows import AnySelect, read
from db.statuses import JobStatus
from db.tables import Timestamp, job_table, type_usual_table

job = job_table.c
usual = type_usual_table.c

Condition = ColumnElement[bool]

_NEVER = literal_column("'-infinity'::timestamp with time zone", Timestamp)


async def load_usual(session: AsyncSession, org_id: UUID) -> dict[str, Usual]:
    """Load what is usual, by type."""
    return {
        row.type: Usual(
            Figures(row.wait_sample, row.wait_median, row.wait_p95),
            Figures(row.run_sample, row.run_median, row.run_p95),
            row.late_after,
            row.slow_after,
            row.stuck_after,
            row.silent_after,
        )
        for row in await read(session, _usual, org_id)
    }


def _usual(org_id: UUID) -> AnySelect:
    names = [each for each in usual if each.name not in {"org_id", "made_at"}]
    return select(*names).where(usual.org_id == org_id)


def verdict_is_any(org_id: UUID, verdicts: Sequence[HealthVerdict], now: datetime) -> Condition:
    """Match jobs with one of these verdicts. Jobs of other statuses than theirs may be left out."""
    wanted = [_text(each.value) for each in sorted(set(verdicts))]
    holds = verdict_at(org_id, now).in_(wanted)
    # The condition of an index.
    return and_(_is_flapping(), holds) if set(verdicts) == {HealthVerdict.FLAPPING} else holds


def is_unhealthy(org_id: UUID, now: datetime) -> Condition:
    """Match jobs whose verdict is not OK."""
    return and_(_is_under_way(), verdict_at(org_id, now) != _text(HealthVerdict.OK.value))


def verdict_at(org_id: UUID, now: datetime) -> ColumnElement[str]:
    """Return the verdict on a job at a time."""
    return _verdict(org_id, literal(now, Timestamp))


def _text(value: str) -> ColumnElement[str]:
    return literal(value, Text(), literal_execute=True)


def _is_under_way() -> Condition:
    return job.status.in_([_text(each.value) for each in (JobStatus.QUEUED, JobStatus.RUNNING)])


def _is_flapping() -> Condition:
    return and_(
        _is_under_way(),
        job.attempt >= literal_column(str(FLAPPING_ATTEMPTS)),
        job.error_group.is_not(None),
    )


def _verdict(org_id: UUID, now: ColumnElement[Any]) -> ColumnElement[str]:
    is_queued, is_running = (
        job.status == literal(status.value, literal_execute=True)
        for status in (JobStatus.QUEUED, JobStatus.RUNNING)
    )
    late, slow, stuck, silent = (
        _before(org_id, now, length)
        for length in (usual.late_after, usual.slow_after, usual.stuck_after, usual.silent_after)
    )
    due = func.greatest(job.queued_at, job.scheduled_at)
    # Progress leaves updated_at as it is.
    heard = func.greatest(job.updated_at, job.progress_at)
    is_unknown = or_(and_(is_queued, _is_none(late)), and_(is_running, _is_none(slow)))
    verdicts = (
        (
            and_(is_running, job.started_at < stuck, heard < silent),
            HealthVerdict.STUCK,
        ),
        (and_(is_queued, due < late), HealthVerdict.LATE),
        (_is_flapping(), HealthVerdict.FLAPPING),
        (and_(is_running, job.started_at < slow), HealthVerdict.SLOW),
        (is_unknown, HealthVerdict.UNKNOWN),
    )
    return case(
        *((condition, literal_column(f"'{verdict.value}'")) for condition, verdict in verdicts),
        else_=literal_column(f"'{HealthVerdict.OK.value}'"),
    )


def _before(
    org_id: UUID, now: ColumnElement[Any], length: ColumnElement[Any]
) -> ColumnElement[Any]:
    """Return the time before which something is over that lasts so long for the job's type.

    Those of all types are read once for a statement. `_is_none`: there is no such time.
    """
    time = func.coalesce(now - length, _NEVER)
    every = func.array_agg(aggregate_order_by(time, usual.type), type_=ARRAY(Timestamp))
    times = select(every).where(usual.org_id == org_id).scalar_subquery()
    # A search in an object takes as long for a thousand types as for ten; one in a list does not.
    place = cast(_places(org_id).op("->>")(job.type), Integer())
    before: ColumnElement[Any] = times[place]
    return before


def _is_none(before: ColumnElement[Any]) -> Condition:
    return func.coalesce(before, _NEVER) == _NEVER


def _places(org_id: UUID) -> ColumnElement[Any]:
    """Return the place of each type in their order."""
    number = func.row_number().over(order_by=usual.type)
    placed = select(usual.type, number.label("place")).where(usual.org_id == org_id).subquery()
    return select(func.jsonb_object_agg(placed.c.type, placed.c.place)).scalar_subquery()

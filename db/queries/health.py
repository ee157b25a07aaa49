"""The rule of db.health in SQL, and what is usual for the types of an organisation."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Interval,
    Text,
    Uuid,
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

# Conditions know no organisation but that of the session.
_OWN = cast(
    func.nullif(
        func.current_setting("joblens.org_id", literal_column("true")), literal_column("''")
    ),
    Uuid(),
)


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


def verdict_is_any(verdicts: Sequence[HealthVerdict], now: datetime) -> Condition:
    """Match jobs with one of these verdicts. Jobs of other statuses than theirs may be left out."""
    wanted = [literal(each.value, Text(), literal_execute=True) for each in sorted(set(verdicts))]
    return _verdict(literal(now, Timestamp)).in_(wanted)


def _verdict(now: ColumnElement[Any]) -> ColumnElement[str]:
    is_queued, is_running = (
        job.status == literal(status.value, literal_execute=True)
        for status in (JobStatus.QUEUED, JobStatus.RUNNING)
    )
    late, slow, stuck, silent = map(
        _bound, (usual.late_after, usual.slow_after, usual.stuck_after, usual.silent_after)
    )
    due = func.greatest(job.queued_at, job.scheduled_at)
    # Progress leaves updated_at as it is.
    heard = func.greatest(job.updated_at, job.progress_at)
    is_flapping = and_(
        or_(is_queued, is_running),
        job.attempt >= literal_column(str(FLAPPING_ATTEMPTS)),
        job.error_group.is_not(None),
    )
    is_unknown = or_(and_(is_queued, late.is_(None)), and_(is_running, slow.is_(None)))
    verdicts = (
        (
            and_(is_running, job.started_at < now - stuck, heard < now - silent),
            HealthVerdict.STUCK,
        ),
        (and_(is_queued, due < now - late), HealthVerdict.LATE),
        (is_flapping, HealthVerdict.FLAPPING),
        (and_(is_running, job.started_at < now - slow), HealthVerdict.SLOW),
        (is_unknown, HealthVerdict.UNKNOWN),
    )
    return case(
        *((condition, literal_column(f"'{verdict.value}'")) for condition, verdict in verdicts),
        else_=literal_column(f"'{HealthVerdict.OK.value}'"),
    )


def _bound(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a bound of the job's type: arrays of all types are read once for a statement."""
    place = func.array_position(_of_all_types(usual.type, Text()), job.type)
    bound: ColumnElement[Any] = _of_all_types(column, Interval())[place]
    return bound


def _of_all_types(column: ColumnElement[Any], type_: Any) -> ColumnElement[Any]:
    every = func.array_agg(aggregate_order_by(column, usual.type), type_=ARRAY(type_))
    return select(every).where(usual.org_id == _OWN).scalar_subquery()

"""Makes what is usual for each type of jobs, of the sketches of the last days."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.health import DAYS, Figures, usual_of
from db.tables import tally_duration_table, tally_key_table, type_usual_table
from db.tallies.durations import Kind
from db.tallies.sketches import Sketch
from db.tallies.spans import Span

# How long it stays as it is while events are summed.
FRESH = timedelta(minutes=1)

_SHARES = (0.5, 0.95)
duration = tally_duration_table.c
key = tally_key_table.c


async def refresh_usual(session: AsyncSession, org_id: UUID) -> None:
    """Make it again if it is not fresh. The organisation's sums must be locked."""
    table, now = type_usual_table, datetime.now(UTC)
    made_at = await session.execute(
        select(func.max(table.c.made_at)).where(table.c.org_id == org_id)
    )
    last = made_at.scalar_one()
    if last is not None and now - FRESH < last <= now:
        return
    rows = [
        {"org_id": org_id, "type": type_, "made_at": now, **_columns(sketches)}
        for type_, sketches in (await _sketches(session, org_id, now)).items()
    ]
    await session.execute(delete(table).where(table.c.org_id == org_id))
    if rows:
        await session.execute(insert(table), rows)


async def _sketches(
    session: AsyncSession, org_id: UUID, now: datetime
) -> dict[str, dict[Kind, Sketch]]:
    statement = (
        select(key.type, duration.kind, duration.bins, duration.counts, *_BOUNDS)
        .join_from(
            tally_duration_table,
            tally_key_table,
            and_(key.org_id == org_id, key.id == duration.key_id),
        )
        .where(
            duration.org_id == org_id,
            duration.span == int(Span.DAY),
            duration.start > now - timedelta(days=DAYS + 1),
            duration.start <= now,
            key.queue.is_(None),
        )
    )
    found: dict[str, dict[Kind, Sketch]] = defaultdict(lambda: defaultdict(Sketch))
    for row in await session.execute(statement):
        sketch = found[row.type][Kind(row.kind)]
        sketch.merge(row.bins, row.counts)
        sketch.widen(row.total, row.least, row.most)
    return found


_BOUNDS = duration.total, duration.least, duration.most


def _columns(sketches: dict[Kind, Sketch]) -> dict[str, Any]:
    wait, run = (_figures(sketches[kind]) for kind in (Kind.WAIT, Kind.RUN))
    usual = usual_of(wait, run)
    return {
        **{f"wait_{name}": getattr(wait, name) for name in ("sample", "median", "p95")},
        **{f"run_{name}": getattr(run, name) for name in ("sample", "median", "p95")},
        "late_after": usual.late_after,
        "slow_after": usual.slow_after,
        "stuck_after": usual.stuck_after,
        "silent_after": usual.silent_after,
    }


def _figures(sketch: Sketch) -> Figures:
    if not sketch.count:
        return Figures()
    median, p95 = (round(each, 6) for each in sketch.percentiles(_SHARES))
    return Figures(sketch.count, median, p95)

"""How far the events of an organisation are summed, locked while its sums change."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.tallies.typed_sql import typed_sql

_LOCK = typed_sql("""
SELECT CAST(seen AS text) AS seen, summed_until,
    CASE WHEN CAST(minutes_seen AS text) = CAST(seen AS text) THEN minutes_from END AS minutes_from,
    coalesce(CAST(errors_seen AS text) = CAST(seen AS text), false) AS errors_are_counted
FROM tally_state
WHERE org_id = :org_id AND cluster = (SELECT system_identifier FROM pg_control_system())
FOR UPDATE
""")


@dataclass(frozen=True, slots=True)
class State:
    """The row of tally_state, locked.

    `minutes_from`: None if there are no sums of minutes. `errors_are_counted`: whether there are
    those of jobs by their errors.
    """

    seen: str
    summed_until: datetime | None
    minutes_from: datetime | None
    errors_are_counted: bool


async def lock(session: AsyncSession, org_id: UUID) -> State | None:
    """Lock the organisation's sums; None if it has none."""
    row = (await session.execute(_LOCK, {"org_id": org_id})).one_or_none()
    return State(*row) if row is not None else None

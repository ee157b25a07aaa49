"""How far the events of an organisation are summed: locked while its sums change."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.statements import is_citus
from db.tallies.typed_sql import typed_sql

_STATE = """
    CAST(seen AS text) AS seen, summed_until,
    CASE WHEN CAST(minutes_seen AS text) = CAST(seen AS text) THEN minutes_from END AS minutes_from,
    coalesce(CAST(errors_seen AS text) = CAST(seen AS text), false) AS errors_are_counted
"""
_IS_KNOWN = "cluster = (SELECT system_identifier FROM pg_control_system())"
_LOCK = typed_sql(
    f"SELECT {_STATE} FROM tally_state WHERE org_id = :org_id AND {_IS_KNOWN} FOR UPDATE"  # noqa: S608
)
# A row of no cluster says that there are no sums.
_CHANGE = typed_sql(f"""
INSERT INTO tally_state AS kept (org_id, cluster, seen)
VALUES (:org_id, 0, CAST('1:1:' AS pg_snapshot))
ON CONFLICT (org_id) DO UPDATE SET cluster = kept.cluster
RETURNING {_IS_KNOWN} AS is_known, {_STATE}
""")  # noqa: S608 - columns of this module


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
    """Lock the organisation's sums for the transaction that sums its events; None: it has none."""
    row = (await session.execute(_LOCK, {"org_id": org_id})).one_or_none()
    return None if row is None else State(*row)


async def lock_to_correct(session: AsyncSession, org_id: UUID) -> State | None:
    """Lock them for a transaction that changes what is summed; None: it has none.

    Waits for a transaction that sums events. One that waits for this fails, also if there are no
    sums yet, and is repeated: its snapshot has what this changes as it was.
    """
    if await is_citus(session):
        return None
    is_known, *state = (await session.execute(_CHANGE, {"org_id": org_id})).one()
    return State(*state) if is_known else None

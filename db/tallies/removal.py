"""Takes deleted jobs out of the sums of what is there now. Sums of the past keep their changes."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.tallies import statements
from db.tallies.error_jobs import uncount
from db.tallies.spans import Span
from db.tallies.state import lock_to_correct
from db.tallies.summing import MAX_KEYS, add


async def remove_from_tallies(
    session: AsyncSession, org_id: UUID, job_ids: Sequence[UUID], now: datetime
) -> None:
    """Count jobs as having left their status; call it before they are deleted.

    Their rows must be locked. Waits for a transaction that sums this organisation's events, and
    sums those of these jobs that are not summed yet.
    """
    state = await lock_to_correct(session, org_id)
    if state is None:
        return
    given = {
        "org_id": org_id,
        "seen": state.seen,
        "job_ids": list(job_ids),
        "minutes_from": state.minutes_from,
    }
    if state.summed_until is None:
        which = f"{statements.UNSUMMED} AND {statements.OF_JOBS}"
        await add(session, which, list(Span), MAX_KEYS, given)
        # All of their events are summed now.
        given["seen"] = None
    if state.errors_are_counted:
        await uncount(session, org_id, job_ids)
    await session.execute(statements.remove_jobs(), {**given, "now": now})

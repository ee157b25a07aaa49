"""Takes events out of the sums, because they are to be replaced by others."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.tallies import statements
from db.tallies.errors import add_errors
from db.tallies.spans import Span
from db.tallies.state import lock_to_correct


async def withdraw(session: AsyncSession, org_id: UUID, first: Mapping[UUID, int]) -> None:
    """Take the events of jobs from these `seq` on out of the sums; call it before deleting them.

    The rows of the jobs must be locked, and as they were when the events were summed. Waits for a
    transaction that sums this organisation's events.
    """
    state = await lock_to_correct(session, org_id)
    if state is None:
        return
    given = {
        "org_id": org_id,
        "seen": state.seen,
        "minutes_from": state.minutes_from,
        "job_ids": list(first),
        "seqs": list(first.values()),
    }
    which = f"{statements.OF_JOBS} AND {statements.FROM_SEQS} AND {statements.SUMMED}"
    if state.summed_until is None:
        await _subtract(session, which, list(Span), given)
        return
    # The totals are there, of all jobs; the first sums of the spans are not yet.
    await session.execute(statements.sum_events(which, [Span.TOTAL], sign=-1), given)
    which = f"{which} AND {statements.BEFORE}"
    await _subtract(session, which, [Span.DAY, Span.HOUR], {**given, "until": state.summed_until})


async def _subtract(
    session: AsyncSession, which: str, spans: list[Span], given: dict[str, Any]
) -> None:
    await add_errors(session, which, given, sign=-1)
    await session.execute(statements.sum_events(which, spans, sign=-1), given)

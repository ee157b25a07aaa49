"""Finds an organisation's new events for its feed: by snapshots, or by times where those fail."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.event_feed import get_snapshot, has_own_transaction_ids
from db.snapshots import Snapshot
from resolvers.live.progress import Progress, read_page

log = structlog.get_logger("joblens.live")


@dataclass(frozen=True, slots=True)
class NewEvents:
    """New events in order of delivery; rows have `ts`, `job_id` and `seq`.

    Call `keep` once they have been delivered: until then, they stay new. `progress`: after each
    row; `snapshot`: of the transaction that read them. Both are missing where times decide.
    """

    rows: Sequence[Any]
    has_more: bool
    keep: Callable[[], None]
    progress: Sequence[Progress] = ()
    snapshot: Snapshot | None = None


class Tracker(Protocol):
    """Remembers what its feed has delivered."""

    async def read(self, session: AsyncSession, limit: int, *, polls: bool) -> NewEvents:
        """Read about `limit` of the new events. A poll looks further back than a notification."""
        ...


class SnapshotTracker:
    """Finds new events by the database's snapshots: none is missed or repeated."""

    def __init__(self, org_id: UUID, seen: Snapshot) -> None:
        self._org_id = org_id
        self._progress = Progress(seen)

    async def read(self, session: AsyncSession, limit: int, *, polls: bool) -> NewEvents:  # noqa: ARG002
        """Read the next new events; a poll finds no others."""
        page = await read_page(session, self._org_id, self._progress, limit)

        def keep() -> None:
            self._progress = page.then

        return NewEvents(page.rows, page.has_more, keep, page.progress, page.snapshot)


async def start_tracker(
    session: AsyncSession, org_id: UUID, by_time: Callable[[], Tracker]
) -> Tracker:
    """Make the tracker of the events that commit from now on."""
    if await has_own_transaction_ids(session, org_id):
        return SnapshotTracker(org_id, await get_snapshot(session))
    log.warning("finding new events by their times: their transaction ids are of another server")
    return by_time()

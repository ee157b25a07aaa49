"""What is new in an organisation for its feed: by snapshots, or by times where those fail."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.event_feed import get_snapshot, has_own_transaction_ids
from db.snapshots import Snapshot
from resolvers.live.progress import Progress, read_piece

log = structlog.get_logger("joblens.live")


@dataclass(frozen=True, slots=True)
class Fresh:
    """New events in the order in which they are delivered; rows have `ts`, `job_id` and `seq`.

    `keep` is called once they have been delivered: until then, they stay new. `progress` has that
    after each row, and `snapshot` is that of the transaction; not where times tell what is new.
    """

    rows: Sequence[Any]
    has_more: bool
    keep: Callable[[], None]
    progress: Sequence[Progress] = ()
    snapshot: Snapshot | None = None


class Tracker(Protocol):
    """Knows what its feed has delivered."""

    async def read(self, session: AsyncSession, limit: int, *, polls: bool) -> Fresh:
        """Read about `limit` of the new events. A poll looks further than a notification."""
        ...


class SnapshotTracker:
    """Tells what is new by the database's snapshots, so that no event is missed or repeated."""

    def __init__(self, org_id: UUID, seen: Snapshot) -> None:
        self._org_id = org_id
        self._progress = Progress(seen)

    async def read(self, session: AsyncSession, limit: int, *, polls: bool) -> Fresh:  # noqa: ARG002
        """Read the next new events; there is nothing that only a poll would find."""
        piece = await read_piece(session, self._org_id, self._progress, limit)

        def keep() -> None:
            self._progress = piece.then

        return Fresh(piece.rows, piece.has_more, keep, piece.progress, piece.snapshot)


async def start_tracker(
    session: AsyncSession, org_id: UUID, by_time: Callable[[], Tracker]
) -> Tracker:
    """Make the tracker of what commits from now on."""
    if await has_own_transaction_ids(session, org_id):
        return SnapshotTracker(org_id, await get_snapshot(session))
    log.warning("new events are told by their times: their transaction ids are of other servers")
    return by_time()

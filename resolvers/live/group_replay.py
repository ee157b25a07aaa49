"""The error groups that were new after a cursor, to a subscriber that resumes."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.database_errors import DatabaseUnavailableError, StatementTimeoutError
from db.queries.error_groups import ErrorGroup, list_error_groups, read_new_errors
from db.queries.event_feed import get_snapshot
from db.snapshots import Snapshot
from db.tallies.errors import MAX_GROUPS
from resolvers.cursors import Mark
from resolvers.live.fanout import GroupEdge
from resolvers.live.feed import Read
from resolvers.live.streams import chunks, client_error
from resolvers.live.subscriber_queue import LiveEvent, SubscriberQueue


@dataclass(frozen=True, slots=True)
class GroupCursor:
    """The group that a subscriber was told last, and what its feed had read by then, if known.

    `reach`: how much earlier than the cursor's group others may have been seen first, and be told
    later, where times decide.
    """

    id: UUID
    first_seen_at: datetime
    seen: Snapshot | None
    reach: timedelta

    def is_before(self, group: ErrorGroup) -> bool:
        """Return whether a group is new after it. Of the same transaction, all others are."""
        if group.id == self.id:
            return False
        if self.seen is not None and group.first_xid is not None:
            return not self.seen.sees(group.first_xid)
        return group.first_seen_at - self.first_seen_at > -self.reach


async def groups_after(
    cursor: GroupCursor, read: Read, org_id: UUID, queue: SubscriberQueue
) -> AsyncGenerator[list[LiveEvent], None]:
    """Read the groups that are new after a cursor, and go on live; the feed fills the queue.

    A group that is in both is delivered once.
    """

    async def query(session: AsyncSession) -> tuple[Snapshot, list[ErrorGroup]]:
        new = await read_new_errors(session, org_id)
        groups = await list_error_groups(session, org_id, new, None)
        return await get_snapshot(session), groups

    try:
        snapshot, groups = await read(query)
    except (StatementTimeoutError, DatabaseUnavailableError) as error:
        raise client_error(error) from None
    groups = list(filter(cursor.is_before, sorted(groups, key=_by_first_error)[:MAX_GROUPS]))
    for some in chunks(_edges(groups, cursor.seen, snapshot)):
        if queue.has_ended:
            break
        yield some
    delivered = {group.id for group in groups}
    while live := await queue.take():
        if new := [each for each in live if each.value.node.id not in delivered]:
            yield new


def _by_first_error(group: ErrorGroup) -> tuple[int, datetime, UUID]:
    return group.first_xid or 0, group.first_seen_at, group.id


def _edges(groups: list[ErrorGroup], seen: Snapshot | None, now: Snapshot) -> list[GroupEdge]:
    """Give each group a mark of what is read before the next one's first transaction."""
    if seen is None:
        return [GroupEdge(group) for group in groups]
    marks = [seen.advanced(after.first_xid or 0, now) for _, after in pairwise(groups)]
    return [GroupEdge(*each) for each in zip(groups, map(Mark, [*marks, now]), strict=False)]

"""Replays the events after a cursor, in pages, to a subscriber that resumes.

By snapshots, where the cursor has a mark of this server; otherwise by times.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.event_feed import EventKey, get_time
from db.queries.events import list_events
from db.queries.keyset import EVENTS_NEWEST_FIRST, KeyValue, Window
from db.snapshots import Snapshot
from resolvers.live.feed import Read
from resolvers.live.options import LiveOptions
from resolvers.live.progress import EventPage, Progress, Selection, in_order, key_of, read_page

Page = Sequence[Any]

PAGE_SIZE = 500
# Writers' clocks differ: a job's next event may have a slightly earlier time, on an earlier page.
HOLD_BACK = timedelta(seconds=1)
# Sorts before every job id, so that a position made with it is before all events of its time.
FIRST_ID = UUID(int=0)


class Replay:
    """Reads a subscriber's events after its progress, each page in a transaction.

    `select` is called for each page: criteria may depend on the time.
    """

    def __init__(
        self,
        read: Read,
        org_id: UUID,
        select: Callable[[], Selection],
        progress: Progress,
    ) -> None:
        self._read = read
        self._org_id = org_id
        self._select = select
        self._progress = progress

    async def pages(self, until: Snapshot | None = None) -> AsyncGenerator[EventPage, None]:
        """Read all that is committed; with `until`, all that this snapshot sees."""
        has_more = True
        while has_more:
            selection = self._select()

            async def read(session: AsyncSession, selection: Selection = selection) -> EventPage:
                return await read_page(
                    session,
                    self._org_id,
                    self._progress,
                    PAGE_SIZE,
                    selection=selection,
                    until=until,
                )

            page = await self._read(read)
            if page.rows:
                yield page
            self._progress, has_more = page.then, page.has_more


class TimeReplay:
    """Reads a subscriber's events from a time on, none twice, each page in a transaction.

    It starts a window earlier, to include events that were committed late, behind the cursor.
    """

    def __init__(
        self,
        read: Read,
        org_id: UUID,
        select: Callable[[], Selection],
        options: LiveOptions,
    ) -> None:
        self._read = read
        self._org_id = org_id
        self._select = select
        self._reach = timedelta(seconds=options.late_seconds)
        self._delivered: dict[EventKey, datetime] = {}
        self._at: datetime | None = None

    def has_delivered(self, row: Any) -> bool:
        """Whether a page had this event."""
        return key_of(row) in self._delivered

    def forget(self) -> None:
        """Forget delivered events, once none of them can come again."""
        self._delivered.clear()

    async def pages(self, start: datetime) -> AsyncGenerator[Page, None]:
        """Read all that is committed, first from `start`, later from the last page on.

        Each call reads a window again.
        """
        # An event with a time in the future must not hide those before it.
        now = await self._read(get_time)
        self._at = min(self._at or start, now)
        position: tuple[KeyValue, ...] = (self._early(self._at), FIRST_ID, 0)
        held: list[Any] = []
        while True:
            rows = await self._read_page(position)
            held += [row for row in rows if not self.has_delivered(row)]
            is_last = len(rows) < PAGE_SIZE
            if rows:
                position = EVENTS_NEWEST_FIRST.key(rows[-1])
                self._at = max(self._at, min(rows[-1].ts, now))
            held = in_order(held)
            ready = held if is_last else self._ready(held, rows[-1].ts)
            held = held[len(ready) :]
            if ready:
                self._delivered.update((key_of(row), row.ts) for row in ready)
                yield ready
            if is_last:
                return
            oldest = self._early(self._at)
            self._delivered = {key: ts for key, ts in self._delivered.items() if ts >= oldest}

    def _ready(self, held: list[Any], reached: datetime) -> list[Any]:
        """Get the rows that no later page can precede; of many at one time, all but a few pages."""
        settled = sum(row.ts <= reached - HOLD_BACK for row in held)
        return held[: max(settled, len(held) - 4 * PAGE_SIZE)]

    async def _read_page(self, position: tuple[KeyValue, ...]) -> Sequence[Any]:
        window = Window(EVENTS_NEWEST_FIRST, PAGE_SIZE, position, backward=True)
        selection = self._select()

        async def read(session: AsyncSession) -> Sequence[Any]:
            return await list_events(
                session, self._org_id, selection.criteria, window, selection.columns
            )

        return await self._read(read)

    def _early(self, time: datetime) -> datetime:
        earliest = datetime.min.replace(tzinfo=time.tzinfo)
        return time - self._reach if time - earliest > self._reach else earliest

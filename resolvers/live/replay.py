"""The way from a cursor to now: what a subscriber that was away has missed, in pages.

From a cursor's mark on, by snapshots. From one without, or with one of another server, by times.
"""

from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JobEventCriteria
from db.queries.event_feed import EventKey, get_time
from db.queries.events import list_events
from db.queries.keyset import EVENTS_NEWEST_FIRST, KeyValue, Window
from db.snapshots import Snapshot
from resolvers.live.feed import Read
from resolvers.live.options import LiveOptions
from resolvers.live.progress import Piece, Progress, Selection, in_order, key_of, read_piece

Page = Sequence[Any]

PAGE_SIZE = 500
# Writers' clocks differ: a job's next event may bear a slightly earlier time, on the page before.
HOLD_BACK = timedelta(seconds=1)
# Before every job id, so that a place made of it lies before all events of its time.
FIRST_ID = UUID(int=0)


class Replay:
    """Reads a subscriber's events from its progress on, each page in a transaction."""

    def __init__(
        self,
        read: Read,
        org_id: UUID,
        criteria: Callable[[], JobEventCriteria | None],
        columns: Collection[str],
        progress: Progress,
    ) -> None:
        self._read = read
        self._org_id = org_id
        self._criteria = criteria
        self._columns = columns
        self._progress = progress

    async def pieces(self, until: Snapshot | None = None) -> AsyncGenerator[Piece, None]:
        """Read on, until what is committed, or what `until` sees, has been read."""
        has_more = True
        while has_more:
            selection = Selection(self._criteria(), self._columns)

            async def read(session: AsyncSession, selection: Selection = selection) -> Piece:
                return await read_piece(
                    session,
                    self._org_id,
                    self._progress,
                    PAGE_SIZE,
                    selection=selection,
                    until=until,
                )

            piece = await self._read(read)
            if piece.rows:
                yield piece
            self._progress, has_more = piece.then, piece.has_more


class TimeReplay:
    """Reads a subscriber's events from a time on, none twice, each page in a transaction.

    It begins a window before the place: what was committed late, behind the cursor, comes too.
    """

    def __init__(
        self,
        read: Read,
        org_id: UUID,
        criteria: Callable[[], JobEventCriteria | None],
        columns: Collection[str],
        options: LiveOptions,
    ) -> None:
        self._read = read
        self._org_id = org_id
        self._criteria = criteria
        self._columns = columns
        # A late event may have waited for a poll while younger ones, and so the cursor, went on.
        seconds = options.window_seconds + 2 * options.poll_seconds + 2
        self._reach = timedelta(seconds=seconds)
        self._told: dict[EventKey, datetime] = {}
        self._at: datetime | None = None

    def has_told(self, row: Any) -> bool:
        """Tell whether a page had this event."""
        return key_of(row) in self._told

    def forget(self) -> None:
        """Forget what was told: nothing of it can come again."""
        self._told.clear()

    async def pages(self, start: datetime) -> AsyncGenerator[Page, None]:
        """Read on from the last page, at first from `start`, until what is committed has been read.

        Each time a window is read again.
        """
        # An event that a writer dated to the future must not hide what comes before that.
        now = await self._read(get_time)
        self._at = min(self._at or start, now)
        place: Sequence[KeyValue] = (self._early(self._at), FIRST_ID, 0)
        held: list[Any] = []
        while True:
            rows = await self._read_page(place)
            held += [row for row in rows if not self.has_told(row)]
            is_last = len(rows) < PAGE_SIZE
            if rows:
                place = EVENTS_NEWEST_FIRST.key(rows[-1])
                self._at = max(self._at, min(rows[-1].ts, now))
            held = in_order(held)
            ready = held if is_last else self._ready(held, rows[-1].ts)
            held = held[len(ready) :]
            if ready:
                self._told.update((key_of(row), row.ts) for row in ready)
                yield ready
            if is_last:
                return
            oldest = self._early(self._at)
            self._told = {key: ts for key, ts in self._told.items() if ts >= oldest}

    def _ready(self, held: list[Any], reached: datetime) -> list[Any]:
        """Get what no later page can come before; of a crowd at one time, all but the last page."""
        settled = sum(row.ts <= reached - HOLD_BACK for row in held)
        return held[: max(settled, len(held) - 4 * PAGE_SIZE)]

    async def _read_page(self, place: Sequence[KeyValue]) -> Sequence[Any]:
        window = Window(EVENTS_NEWEST_FIRST, PAGE_SIZE, place, backward=True)
        criteria = self._criteria()

        async def read(session: AsyncSession) -> Sequence[Any]:
            return await list_events(session, self._org_id, criteria, window, self._columns)

        return await self._read(read)

    def _early(self, time: datetime) -> datetime:
        earliest = datetime.min.replace(tzinfo=time.tzinfo)
        return time - self._reach if time - earliest > self._reach else earliest
